// Makes circomlibjs.json: what circomlibjs 0.1.7 computes, for tests/algebra.
//   npm install circomlibjs@0.1.7 && node circomlibjs.mjs > circomlibjs.json
import { buildBabyjub, buildEddsa, buildPoseidon, buildPoseidonReference } from "circomlibjs";
import createBlakeHash from "blake-hash";

const [babyjub, eddsa, poseidon, reference] = await Promise.all(
  [buildBabyjub(), buildEddsa(), buildPoseidon(), buildPoseidonReference()]);
const F = babyjub.F;
const r = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const text = (element) => F.toObject(element).toString();
const point = (p) => p.map(text);

// Inputs that need no generator: powers of 7 mod r, and the ends of the range.
const power = (k) => { let x = 1n; for (let i = 0; i < k; i++) x = (x * 7n) % r; return x; };
const cases = [];
for (let n = 1; n <= 16; n++) {
  for (const inputs of [
    Array(n).fill(0n), Array(n).fill(r - 1n),
    Array.from({ length: n }, (_, i) => BigInt(i + 1)), Array.from({ length: n }, (_, i) => power(100 * n + 31 * i)),
  ]) {
    for (const state of [0n, power(50 * n)]) {
      const outputs = reference(inputs, F.e(state), n + 1).map(text);
      if (text(poseidon(inputs, F.e(state))) !== outputs[0]) throw Error("they disagree");
      cases.push({ inputs: inputs.map(String), state: state.toString(), outputs });
    }
  }
}

const signatures = [];
for (let i = 0; i < 12; i++) {
  const key = Buffer.from(Array.from({ length: 32 }, (_, j) => (i * 37 + j * j * 11 + 5) % 256));
  const message = [0n, 1n, r - 1n][i] ?? power(300 + i);
  const signature = eddsa.signPoseidon(key, F.e(message));
  const publicKey = eddsa.prv2pub(key);
  if (!eddsa.verifyPoseidon(F.e(message), signature, publicKey)) throw Error("it does not verify");
  signatures.push({
    private_key: key.toString("hex"), message: message.toString(), public_key: point(publicKey),
    r8: point(signature.R8), s: signature.S.toString(), packed: Buffer.from(eddsa.packSignature(signature)).toString("hex"),
  });
}

const multiples = [0n, 1n, 2n, 8n, babyjub.subOrder - 1n, babyjub.subOrder, r - 1n, power(77)].map((k) => ({
  scalar: k.toString(), base8: point(babyjub.mulPointEscalar(babyjub.Base8, k)),
  generator: point(babyjub.mulPointEscalar(babyjub.Generator, k)),
}));

const blake512 = [0, 1, 32, 64, 111, 112, 113, 127, 128, 129, 239, 240, 300].map((length) => {
  const data = Buffer.from(Array.from({ length }, (_, j) => (j * 7 + length) % 256));
  return { data: data.toString("hex"), digest: createBlakeHash("blake512").update(data).digest("hex") };
});

const sections = { poseidon: cases, eddsa: signatures, babyjubjub: multiples, blake512 };
const lines = (rows) => "[\n" + rows.map((row) => JSON.stringify(row)).join(",\n") + "\n]";
const origin = "circomlibjs 0.1.7 and its blake-hash 2.0.0, through tests/vectors/circomlibjs.mjs";
console.log(`{"origin": "${origin}",`);
console.log(Object.entries(sections).map(([name, rows]) => `"${name}": ${lines(rows)}`).join(",\n") + "}");
process.exit(0);
