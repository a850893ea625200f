"""The models that the later units start from: a decoder that ships, and the sizes of an encoder.

    >>> model, tokenizer = load_base_decoder()
    >>> tokenizer.encode("Mia was a baker in Milby.")[:3] == tokenizer.encode("Mia was a")
    True

The decoder was trained on stories of the world, none of which it saw twice, each a row of its own
from its first token on. `python -m llmcourse.training.base_models decoder` trains it anew and
writes its folder and its entry in `base_models.json`: loss, exact floor, how far above it, tokens
and time. `tiny`, the same in half a minute, is there so that a test can do that.

Left out: files to resume a run from (`resume`), texts from elsewhere (`llmcourse train`).

unit: 10_pretraining
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import torch
from torch import nn

from llmcourse import world
from llmcourse.models.model_folder import END, load_folder, save_folder
from llmcourse.models.transformer import Decoder
from llmcourse.models.transformer_config import TransformerConfig
from llmcourse.text.words import WordTokenizer
from llmcourse.training.evaluation import mean_bits, token_losses
from llmcourse.training.hardware import bf16_is_faster
from llmcourse.training.loop import train
from llmcourse.training.optimizers import muon_and_adamw
from llmcourse.training.packing import Batch
from llmcourse.training.schedules import trapezoid

PACKAGE = Path(str(resources.files("llmcourse")))
FOLDER, RECORD = PACKAGE / "base_decoder", PACKAGE / "base_models.json"
CONTEXT = 256  # tokens; the longest story has about 200
TESTED = 1000  # stories that a score is taken on, none of them from training


@dataclass(frozen=True)
class Recipe:
    """What decides how a decoder is trained."""

    config: TransformerConfig
    steps: int
    cooldown: int  # the last steps, in which the learning rates fall to 0
    warmup: int = 100  # steps
    batch_size: int = 16  # stories
    matrix_lr: float = 0.01  # of Muon
    lr: float = 0.02  # of AdamW: embedding, head and norms
    seed: int = 0  # of the weights


def _config(n_layers: int, d_model: int, d_ff: int, tied_head: bool = False) -> TransformerConfig:
    """Return sizes in Llama's form, with heads of width 32."""
    return TransformerConfig(
        len(world.vocabulary()), CONTEXT, n_layers, d_model // 32, d_model, d_ff, norm="rms",
        positions="rotary", activation="swiglu", bias=False, tied_head=tied_head,
    )  # fmt: skip


RECIPES = {
    "decoder": Recipe(_config(4, 128, 320), steps=39_800, cooldown=800),
    "tiny": Recipe(_config(1, 64, 160), steps=200, cooldown=100, warmup=20),
}
ENCODER = _config(4, 128, 320, tied_head=True)  # of unit 11, which trains it


def load_base_decoder() -> tuple[Decoder, WordTokenizer]:
    """Return the decoder that ships, in evaluation mode, and its tokenizer.

    A text begins with the end token: `tokenizer.special_ids` has its id.
    """
    return load_folder(FOLDER)


def world_tokenizer() -> WordTokenizer:
    """Return the tokenizer of the world's words, with the ids that `world.whole_batches` gives."""
    words = [END if word == world.END else word for word in world.vocabulary()]
    return WordTokenizer(tuple(words), (END,))


def trained(recipe: Recipe, bf16: bool, progress: bool = False) -> Decoder:
    """Return a decoder trained from nothing. bf16: products in bfloat16."""
    torch.manual_seed(recipe.seed)
    model = Decoder(recipe.config)
    for name, weight in model.named_parameters():
        if name.endswith(("out.weight", "down.weight")):  # at first blocks add nothing
            nn.init.zeros_(weight)
    dtype = torch.bfloat16 if bf16 else torch.float32
    optimizers = muon_and_adamw(model, recipe.matrix_lr, recipe.lr, weight_decay=0.0, dtype=dtype)
    train(
        model, story_batches("base decoder", recipe.batch_size), optimizers, recipe.steps,
        lambda step: trapezoid(step, recipe.steps, recipe.warmup, recipe.cooldown, 1.0),
        bf16=bf16, progress=progress,
    )  # fmt: skip
    return model.eval()


def story_batches(seed: str, batch_size: int, n: int | None = None) -> Iterator[Batch]:
    """Yield ids and targets (B, T) of whole stories, without end if n is None."""
    for ids, targets in world.whole_batches(world.stories(n, seed=seed), batch_size):
        yield torch.from_numpy(ids), torch.from_numpy(targets)


def distance_to_floor(model: Decoder, n: int = TESTED) -> tuple[float, float]:
    """Return bits per token on n stories that are in no training run, and their exact floor."""
    bits = mean_bits(token_losses(model), story_batches("held out", 50, n))
    return bits, world.entropy_rate(world.stories(n, seed="held out")).bits_per_token


def main() -> None:
    """Train a model, write its entry in the record and, if it ships, its folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=tuple(RECIPES))
    name = parser.parse_args().name
    recipe, start = RECIPES[name], time.process_time()
    model = trained(recipe, bf16_is_faster(), progress=True)
    seconds = time.process_time() - start
    if name == "decoder":
        save_folder(FOLDER, model.to(torch.bfloat16), world_tokenizer())
        model = load_base_decoder()[0]  # what is scored is what ships, in 16 bits
    bits, floor = distance_to_floor(model)
    found = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    found[name] = {
        "bits_per_token": round(bits, 4),
        "floor": round(floor, 4),
        "above_floor": round(bits / floor - 1, 4),
        "parameters": recipe.config.n_parameters,
        "stories": recipe.steps * recipe.batch_size,
        "core_seconds": round(seconds),
        "command": f"python -m llmcourse.training.base_models {name}",
    }
    RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found[name], indent=1))


if __name__ == "__main__":
    main()
