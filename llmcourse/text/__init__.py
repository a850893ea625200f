"""Text and its tokens: corpora, tokenizers, subwords and how they are shown."""
