"""Language models from counts to networks, and what they are made of."""
