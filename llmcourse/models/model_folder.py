"""A model and its tokenizer in one folder, in the form that `transformers` and engines load.

    config.json             sizes and family          model.safetensors    the weights
    tokenizer.json          the tokenizer             tokenizer_config.json, generation_config.json:
                                                      the special token that ends a text

    >>> model, tokenizer = load_folder("shakespeare")                       # doctest: +SKIP

unit: 10_pretraining
"""

import json
from pathlib import Path

from llmcourse.models.checkpoints import load_checkpoint, save_checkpoint
from llmcourse.models.transformer import Decoder
from llmcourse.text.characters import AnyTokenizer, load_tokenizer

END = "<|endoftext|>"  # between texts, and before the first one
TOKENIZER = "tokenizer.json"


def save_folder(
    folder: str | Path,
    model: Decoder,
    tokenizer: AnyTokenizer,
    family: str = "llama",
) -> None:
    """Write model and tokenizer; make the folder. The tokenizer has END as a special token.

    Raises ValueError for a model that the family cannot express, and for a tokenizer of another
    size or without END.
    """
    if tokenizer.vocab_size != model.config.vocab_size or END not in tokenizer.special_ids:
        raise ValueError(
            f"expected a tokenizer of {model.config.vocab_size} tokens with {END!r}, got one of "
            f"{tokenizer.vocab_size}, specials {sorted(tokenizer.special_ids)}: give the model's"
        )
    folder = Path(folder)
    save_checkpoint(model, folder, family)
    tokenizer.save(folder / TOKENIZER)
    end = tokenizer.special_ids[END]
    _write(folder / "generation_config.json", {"bos_token_id": end, "eos_token_id": end})
    config = {
        # The class that takes tokenizer.json as it is: that of the family would build its own.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": model.config.context_length,
        "bos_token": END,
        "eos_token": END,
        "clean_up_tokenization_spaces": False,
    }
    _write(folder / "tokenizer_config.json", config)


def load_folder(folder: str | Path) -> tuple[Decoder, AnyTokenizer]:
    """Return the model, in evaluation mode, and the tokenizer of a folder.

    Raises FileNotFoundError for a file that is not there, and ValueError for one that is not
    supported.
    """
    path = Path(folder) / TOKENIZER
    model = load_checkpoint(folder).eval()
    if not path.is_file():
        raise FileNotFoundError(f"expected the file {path}, got none: give a folder with both")
    return model, load_tokenizer(path)


def _write(path: Path, contents: dict[str, object]) -> None:
    path.write_text(json.dumps(contents, indent=2, sort_keys=True) + "\n", encoding="utf-8")
