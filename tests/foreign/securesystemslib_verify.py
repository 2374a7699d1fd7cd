"""Verifies DSSE envelopes with securesystemslib: for each DIR/*.json under the key DIR/key.pem, one line "NAME good|bad"."""

import json
import pathlib
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

folder = pathlib.Path(sys.argv[1])
for path in sorted(folder.glob("*.json")):
    document = json.loads(path.read_bytes())
    keyid = document["signatures"][0]["keyid"]
    key = SSlibKey.from_crypto(load_pem_public_key((folder / "key.pem").read_bytes()), keyid=keyid)
    try:
        # Keys whose id no signature names are skipped by the library and then count as missing.
        Envelope.from_dict(document).verify([key], 1)
        print(path.stem, "good")
    except VerificationError:
        print(path.stem, "bad")
