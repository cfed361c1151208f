"""What tests share: made-up people, files of returns, released models, databases."""
