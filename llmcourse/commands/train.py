"""Train a language model on text files: `llmcourse train`.

The recipe of unit 10: a decoder of Llama's form, Muon and AdamW, a learning rate that stays high
for half of the steps and then falls on a line, bfloat16 where a probe finds it faster. The last
tenth of the text is held out. What a run needs to go on is saved in its folder every SAVE_EVERY
seconds. With `torchrun` several processes share each batch.

    config.json, model.safetensors, tokenizer.json ...   the model (`llmcourse.models.model_folder`)
    settings.json, run.pt                                what --resume goes on from

unit: 10_pretraining
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from llmcourse.commands.run import RunError
from llmcourse.models.model_folder import END, TOKENIZER, save_folder
from llmcourse.models.transformer import Decoder
from llmcourse.models.transformer_config import TransformerConfig
from llmcourse.text.characters import AnyTokenizer, CharacterTokenizer, load_tokenizer
from llmcourse.text.corpora import split
from llmcourse.text.tokenizers import Tokenizer, train_bpe
from llmcourse.training.evaluation import bits_per_character, mean_bits, token_losses
from llmcourse.training.hardware import bf16_is_faster, compiled
from llmcourse.training.loop import Record, train
from llmcourse.training.optimizers import muon_and_adamw
from llmcourse.training.packing import BatchStream, join_documents, windows
from llmcourse.training.parallel import all_agree, joined
from llmcourse.training.resume import replaced, resume_run, save_run
from llmcourse.training.schedules import trapezoid

SETTINGS, RUN = "settings.json", "run.pt"
SAVE_EVERY = 30.0  # seconds
WARMUP, COOLDOWN = 0.05, 0.5  # of all steps; 200 steps end .039 nats below those of a cosine
LAST = 0.02  # of the learning rate, at the end
TOKENIZERS = ("characters", "bpe")


@dataclass(frozen=True)
class Settings:
    """What decides a run; a resumed one has the same."""

    tokenizer: str  # characters or bpe
    vocab_size: int  # of bpe
    layers: int
    width: int  # of the hidden states, a multiple of 32
    context: int  # tokens
    batch: int  # rows of `context` tokens a step, over all processes
    steps: int
    seed: int

    def __post_init__(self) -> None:
        if self.tokenizer not in TOKENIZERS:
            raise ValueError(
                f"expected --tokenizer {' or '.join(TOKENIZERS)}, got {self.tokenizer!r}: choose "
                "one of them"
            )
        if self.width % 32 or self.width < 32:
            raise ValueError(f"expected --width a multiple of 32, got {self.width}: change it")
        for name in ("layers", "context", "batch", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"expected --{name} of at least 1, got {getattr(self, name)}: give a larger one"
                )


def train_files(
    files: Sequence[Path],
    folder: Path,
    settings: Settings,
    resume: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Train on the files, each a document, and write the model to a folder.

    Raises RunError, one line, for files and folders that cannot be used, and with the command that
    goes on when it is interrupted.
    """
    try:
        with joined() as (index, of):
            _train(files, folder, settings, resume, say if index == 0 else _silent, index, of)
    except (ValueError, OSError) as error:
        raise RunError(str(error)) from None
    except KeyboardInterrupt:
        raise RunError(f"interrupted: the same command with --resume goes on in {folder}") from None


def _silent(line: str) -> None:
    """Say nothing: one process speaks for all."""


def _train(
    files: Sequence[Path],
    folder: Path,
    settings: Settings,
    resume: bool,
    say: Callable[[str], None],
    index: int,
    of: int,
) -> None:
    texts = [read_text(file) for file in files]
    parts = [split(text) for text in texts]
    characters = sum(len(held_out) for _, held_out in parts)
    found = {"sha256": hashlib.sha256("\0".join(texts).encode()).hexdigest()}
    _check_folder(folder, resume)
    device = (
        torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else "cpu"
    )
    if resume:
        bf16 = _check_settings(folder, settings, found)
        tokenizer = load_tokenizer(folder / TOKENIZER)
    else:
        bf16 = all_agree(bf16_is_faster(device))
        tokenizer = make_tokenizer([train for train, _ in parts], settings)
    encoded = [[tokenizer.encode(part) for part in both] for both in parts]
    end = tokenizer.special_ids[END]
    stream = join_documents((train for train, _ in encoded), end)
    if len(stream) <= settings.context:
        raise ValueError(
            f"expected a text of more than {settings.context} tokens to train on, got "
            f"{len(stream)}: give a longer one or a smaller --context"
        )
    torch.manual_seed(settings.seed)
    model = make_model(settings, tokenizer.vocab_size).to(device)
    optimizers = muon_and_adamw(model, dtype=torch.bfloat16 if bf16 else torch.float32)
    batches = BatchStream(
        stream, settings.context, settings.batch, settings.seed, index=index, of=of
    )
    history: list[Record] = []
    if resume:
        history = resume_run(folder / RUN, model, optimizers, batches)
    elif index == 0:
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save(folder / TOKENIZER)
        save_run(folder / RUN, model, optimizers, batches, history)
        with replaced(folder / SETTINGS) as file:  # the last one: with it a run can go on
            kept = asdict(settings) | found | {"bf16": bf16}
            file.write((json.dumps(kept, indent=2) + "\n").encode())
    say(_described(texts, tokenizer, model, bf16, of))
    saved = time.monotonic()

    def keep(history: list[Record]) -> None:
        nonlocal saved
        if index == 0 and (time.monotonic() - saved > SAVE_EVERY or len(history) == settings.steps):
            save_run(folder / RUN, model, optimizers, batches, history)
            saved = time.monotonic()

    history = train(
        model, batches, optimizers, settings.steps, _schedule(settings.steps), bf16=bf16,
        forward=_forward(model, settings, device, say), history=history, after_step=keep,
        progress=index == 0,
    )  # fmt: skip
    if index == 0:
        say(_score(model, [held_out for _, held_out in encoded], end, characters, settings, bf16))
        save_folder(folder, model.cpu(), tokenizer)
        say(f"written to {folder}; llmcourse sample {folder} writes text with it")


def read_text(file: Path) -> str:
    """Return the text of a file. Raises ValueError, one line, for what is no text in UTF-8."""
    if not file.is_file():
        raise ValueError(f"expected a text file, got {file}, which is none: check the name")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"expected text in UTF-8, got the byte {error.object[error.start]:#04x} at "
            f"{error.start} in {file}: convert it (iconv -t UTF-8)"
        ) from None
    if len(text) < 2:
        raise ValueError(
            f"expected a text, got {len(text)} characters in {file}: give another file"
        )
    return text


def make_tokenizer(texts: list[str], settings: Settings) -> Tokenizer | CharacterTokenizer:
    """Return the tokenizer of the settings, made from the texts."""
    if settings.tokenizer == "bpe":
        return train_bpe(texts, settings.vocab_size, [END])
    return CharacterTokenizer.of("".join(texts), [END])


def make_model(settings: Settings, vocab_size: int) -> Decoder:
    """Return a fresh decoder of Llama's form whose blocks add nothing at first.

    The last matrix of each layer is zero: at the start the model is its embedding alone, and no
    random block has to be unlearned.
    """
    head = 32 if settings.width < 512 else 64
    config = TransformerConfig(
        vocab_size,
        settings.context,
        n_layers=settings.layers,
        n_heads=settings.width // head,
        d_model=settings.width,
        d_ff=settings.width * 8 // 3 // 32 * 32,  # gated: as many parameters as 4 C without a gate
        norm="rms",
        positions="rotary",
        activation="swiglu",
        bias=False,
    )
    model = Decoder(config)
    for name, weight in model.named_parameters():
        if name.endswith(("out.weight", "down.weight")):
            nn.init.zeros_(weight)
    return model


def _schedule(steps: int) -> Callable[[int], float]:
    warmup, cooldown = int(WARMUP * steps), int(COOLDOWN * steps)
    return lambda step: trapezoid(step, steps, warmup, cooldown, 1.0, LAST)


def _forward(
    model: Decoder, settings: Settings, device: Any, say: Callable[[str], None]
) -> Callable[[Any], Any]:
    """Return what computes the logits: compiled on a GPU, where that pays for itself."""
    if torch.device(device).type == "cpu":
        return model
    return compiled(model, torch.zeros(1, settings.context, dtype=torch.long, device=device), say)


def _check_folder(folder: Path, resume: bool) -> None:
    """Raise ValueError for a folder with a run that nobody wants to resume, and the reverse."""
    there = (folder / SETTINGS).is_file()
    if resume and not there:
        raise ValueError(
            f"expected a folder with a run in it, got {folder} without {SETTINGS}: leave --resume "
            "out to start one"
        )
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"expected a folder, got the file {folder}: give another --output")
    if not resume and folder.is_dir() and any(folder.iterdir()):
        how = "add --resume to go on" if there else "give another --output"
        raise ValueError(f"expected a new or empty folder, got {folder} with files in it: {how}")


def _check_settings(folder: Path, settings: Settings, found: dict[str, str]) -> bool:
    """Return whether the run uses bfloat16; raise ValueError if its settings are other ones."""
    try:
        kept = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        own = {name: kept[name] for name in (*asdict(settings), "sha256", "bf16")}
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"expected the settings of a run in {folder / SETTINGS}, got another file: start anew"
        ) from None
    for name, value in asdict(settings).items():
        if own[name] != value:
            option = name.replace("_", "-")
            raise ValueError(
                f"expected --{option} {own[name]}, as the run in {folder} has, got {value}: resume "
                "it with its own, or start another in another folder"
            )
    if own["sha256"] != found["sha256"]:
        raise ValueError(
            f"expected the text that the run in {folder} began with, got another: give the same "
            "files in the same order"
        )
    return bool(own["bf16"])


def _described(
    texts: list[str], tokenizer: AnyTokenizer, model: Decoder, bf16: bool, of: int
) -> str:
    config = model.config
    return (
        f"{sum(map(len, texts)):,} characters, the last tenth held out; {tokenizer.vocab_size:,} "
        f"tokens; {config.n_layers} layers of {config.d_model}, {config.n_parameters:,} "
        f"parameters; {'bfloat16' if bf16 else 'float32'}, {of} process{'es' if of > 1 else ''}"
    )


def _score(
    model: Decoder,
    held_out: list[list[int]],
    end: int,
    characters: int,
    settings: Settings,
    bf16: bool,
) -> str:
    """Return a line with the loss on the held-out text, in windows of the model's own context."""
    rows = [windows(join_documents([ids], end)[:-1], settings.context) for ids in held_out]
    tokens = sum(map(len, held_out))
    parts = (
        (ids[i : i + settings.batch], targets[i : i + settings.batch])
        for ids, targets in rows
        for i in range(0, len(ids), settings.batch)
    )
    bits = mean_bits(token_losses(model, bf16), parts)
    by_character = bits_per_character(bits, tokens, characters)
    return f"held out: {bits:.3f} bits a token, {by_character:.3f} bits a character"
