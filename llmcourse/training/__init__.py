"""What turns a model and a text into a trained model."""
