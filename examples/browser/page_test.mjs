// What the page does, in Node, whose fetch is that of browsers: node page_test.mjs FOLDER ORIGIN
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, origin] = process.argv.slice(2);
const page = await (await fetch(origin)).text();
process.stdout.write(`page: ${page.includes("./program.js")}\n`);
const program = await import(pathToFileURL(resolve(folder, "program.js")));
await program.default({ module_or_path: fetch(`${origin}/program_bg.wasm`) });
const ticks = await program.listen(origin, 1);
process.stdout.write(`ticks: ${await ticks.next()}, ${await ticks.next()}\n`);
ticks.free();
try {
  await (await program.listen(origin, 0)).next();
} catch (error) {
  process.stdout.write(`error: ${error.message}\n`);
}
