// Runs the program in Node, whose fetch is that of browsers: node run.mjs FOLDER ORIGIN
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, origin] = process.argv.slice(2);
const program = await import(pathToFileURL(resolve(folder, "program.js")));
await program.default({ module_or_path: await readFile(resolve(folder, "program_bg.wasm")) });
process.stdout.write(await program.probe(origin));
