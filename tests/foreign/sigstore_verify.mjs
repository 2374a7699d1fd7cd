// Verifies DSSE envelopes with @sigstore/verify: for each DIR/*.json under the key DIR/key.pem, one line "NAME good|bad".
import { createPublicKey } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.argv[3], "index.js"));
const { Verifier, toSignedEntity, toTrustMaterial } = require("@sigstore/verify");
const { bundleFromJSON } = require("@sigstore/bundle");

const folder = process.argv[2];
const publicKey = createPublicKey(readFileSync(join(folder, "key.pem")));
const roots = { certificateAuthorities: [], ctlogs: [], tlogs: [], timestampAuthorities: [] };
const material = toTrustMaterial(roots, () => ({ publicKey, validFor: () => true }));
// Time and transparency are shown by the log, whose proofs other tests check; here only the envelope counts.
const verifier = new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });

for (const name of readdirSync(folder).filter((name) => name.endsWith(".json")).sort()) {
  const dsseEnvelope = JSON.parse(readFileSync(join(folder, name)));
  const bundle = bundleFromJSON({
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: { hint: "key" }, tlogEntries: [] },
    dsseEnvelope,
  });
  let verdict = "good";
  try {
    verifier.verify(toSignedEntity(bundle));
  } catch (error) {
    if (error.code !== "SIGNATURE_ERROR") throw error;
    verdict = "bad";
  }
  console.log(name.replace(/\.json$/, ""), verdict);
}
