import { readFile } from 'node:fs/promises';
import type { Frame } from './cpu-profile.js';

/** A page that holds everything that it needs: the calls from the bottom up, as wide as their time. */
export async function flameGraphOf(frames: Frame, title: string): Promise<string> {
  const d3 = await readFile(new URL('../dist/d3.min.js', import.meta.resolve('d3')), 'utf8');
  const graph = await readFile(
    new URL('d3-flamegraph.umd.min.js', import.meta.resolve('d3-flame-graph')),
    'utf8',
  );
  // Names of functions may hold anything; this keeps them from ending the script.
  const data = JSON.stringify(frames).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<style>body{font:14px system-ui,sans-serif;margin:1em}input{margin:0 1em}</style>
<h1>${title}</h1>
<p>Click to look closer, on the lowest to see all again. <input id="search" placeholder="Search" aria-label="Search"><span id="details"></span></p>
<div id="graph"></div>
<script>${d3}</script>
<script>${graph}</script>
<script>
  const make = flamegraph.default ?? flamegraph;
  const graph = make().width(document.body.clientWidth).minFrameSize(1).inverted(false)
    .setDetailsElement(document.getElementById('details'));
  d3.select('#graph').datum(${data}).call(graph);
  document.getElementById('search').addEventListener('input', (event) => graph.search(event.target.value));
</script>
</html>
`;
}
