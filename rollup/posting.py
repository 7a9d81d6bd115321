"""A proven batch as it is posted: its data in the transaction, and what shows that the rest of them is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.errors import BadInputError, unreadable

from .bundle import Bundle
from .files import make_folder, write_whole
from .l1 import attestation, blob_transaction
from .l1.attestation import Attestation
from .l1.blob_transaction import BlobSidecar, Wrapper
from .l1.plan import Route
from .l1.rollup_contract import Posting
from .l1.signer import Signer

#: Within a batch's folder: one file an attester, its address and then its signature in hexadecimal digits.
ATTESTATIONS = "attestations"


def posting_of(
    bundle: Bundle,
    attestations: Mapping[str, bytes] | None = None,
    wrapper: Wrapper = Wrapper.CELL_PROOFS,
) -> Posting:
    """A proven batch as it is posted.

    Args:
        bundle: the batch.
        attestations: of an attested batch the signatures, by a name of who sent each.
        wrapper: of a blob batch how the blob travels.

    Raises:
        BadInputError: an attestation is no signature, or two are of one signer.
    """
    selector = _selector(bundle)
    binding, data = bundle.binding, bundle.data
    evidence, sidecar = b"", None
    if bundle.shape.kind == Kind.ATTESTED:
        evidence = attestation.evidence(Attestation.of(data, bundle.shape), attestations or {})
    blob = data.blob(bundle.shape)
    if blob is not None:
        evidence = blob_transaction.evidence(binding, blob)
        sidecar = BlobSidecar((blob,), wrapper)
    return Posting(selector, data.posted, binding, evidence, sidecar)


def _selector(bundle: Bundle) -> bytes:
    """The batch's circuit: one of the deployment's, otherwise one that was announced later."""
    try:
        return bundle.origin.deployment.route(bundle.key, bundle.shape).selector
    except BadInputError:
        return Route.of(bundle.key, bundle.shape).selector


def attest(folder: Path, bundle: Bundle, signer: Signer) -> Path:
    """Sign that one holds a batch's data; returns the file that the signature was written to.

    Raises:
        InvalidError: the public input C is not that of the data.
        BadInputError: it is no batch that attesters keep, or the file cannot be written.
    """
    signature = attestation.attest(bundle.data, bundle.shape, bundle.public[0], signer)
    path = folder / ATTESTATIONS / f"{signer.address.lower()}.txt"
    make_folder(path.parent)
    write_whole(path, f"0x{signature.hex()}\n".encode())
    return path


def attestations_in(folder: Path) -> dict[str, bytes]:
    """The signatures in a batch's folder, by their files' names.

    Raises:
        BadInputError: a file is no signature.
    """
    found = {}
    for path in sorted((folder / ATTESTATIONS).glob("*.txt")):
        try:
            found[path.name] = bytes.fromhex(path.read_text("ascii").strip().removeprefix("0x"))
        except OSError as error:
            raise unreadable(path, "an attestation", error) from None
        except ValueError:
            raise BadInputError(
                "not an attestation", place=str(path), expected="0x and 130 hexadecimal digits", got="something else"
            ) from None
    return found
