"""Records what Hugging Face's tokenizers learns from a short text: `llmcourse/bpe_recorded.json`.

Run: python -m benchmarks.record_merges. The notebook of unit 03 compares its merges with these, so
that learners need not install the peer; tests/text/test_subwords.py compares them with the peer
itself.
"""

import json
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from llmcourse import world

MERGES = 200
TARGET = Path(__file__).parent.parent / "llmcourse" / "bpe_recorded.json"
PROBES = (
    "the strawberry is red",
    " strawberry",
    "naïve 🙂",
    "12,345 = x_1",
    "  two spaces ",
    "žöč",
)


def main() -> None:
    """Writes the file: text, merges, ids of some texts, and how they were made."""
    text = "\n".join(story.text for story in world.stories(6, seed=0))
    peer = Tokenizer(models.BPE())
    peer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    size = 256 + MERGES
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    peer.train_from_iterator([text], trainer)
    record = {
        "made_by": f"tokenizers {tokenizers.__version__}, ByteLevel(add_prefix_space=False)",
        "command": "python -m benchmarks.record_merges",
        "text": text,
        "merges": json.loads(peer.to_str())["model"]["merges"],
        "ids": {probe: peer.encode(probe).ids for probe in PROBES},
    }
    TARGET.write_text(json.dumps(record, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
