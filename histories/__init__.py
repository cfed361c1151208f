"""The room ``histories`` of onroll."""
