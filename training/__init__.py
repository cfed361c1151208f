"""The room ``training`` of onroll."""
