"""Stories with exact probabilities, and what is measured on them."""
