"""Writing results: a folder checked before the work starts, files that are whole or not there."""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minigrad.train.loop import Epoch
from minigrad.train.problems import Problem


def prepare_folder(folder: Path) -> None:
    """Make the folder if need be, and make sure that files can be written into it.

    Raises:
        Problem: it cannot be made, is not a folder, or is not writable.
    """
    probe = folder / f".minigrad-{secrets.token_hex(4)}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Problem(
            f"cannot write to the output folder {str(folder)!r} ({reason}): expected a folder that "
            "can be made and written to; name another with --out FOLDER"
        ) from None
    except ValueError:  # a null character in the name
        raise Problem(
            f"{str(folder)!r} cannot be the name of a folder; name another with --out FOLDER"
        ) from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one piece: whoever looks sees the old content or the new, never a part.

    Raises:
        Problem: the disk is full, or the folder is gone.
    """
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        scratch.write_bytes(content)
        os.replace(scratch, path)
    except OSError as error:
        raise Problem(
            f"cannot write {str(path)!r} ({error.strerror}): make room or name another folder with "
            "--out FOLDER"
        ) from None
    finally:
        scratch.unlink(missing_ok=True)


def history_csv(history: tuple[Epoch, ...]) -> bytes:
    """The history as a table, one row an epoch."""
    text = io.StringIO()
    rows = csv.DictWriter(text, list(history_row(history[0])), lineterminator="\n")
    rows.writeheader()
    rows.writerows(map(history_row, history))
    return text.getvalue().encode()


def history_row(epoch: Epoch) -> dict[str, float]:
    """An epoch as a flat record; losses in nats, accuracies between 0 and 1."""
    return {
        "epoch": epoch.number,
        "train_loss": epoch.train.loss,
        "train_accuracy": epoch.train.accuracy,
        "held_out_loss": epoch.held_out.loss,
        "held_out_accuracy": epoch.held_out.accuracy,
    }


def record_json(record: Mapping[str, Any]) -> bytes:
    """A record of the run as JSON."""
    return (json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
