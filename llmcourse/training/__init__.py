"""What changes a model's parameters: data in batches, optimisers, the training loop."""
