"""How the code stands: walls between rooms, sizes and layout."""
