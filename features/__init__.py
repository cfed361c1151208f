"""The room ``features`` of onroll."""
