#!/usr/bin/env node
// Written so that a Node of ten years ago parses it: that one should say what is wrong, and not throw a SyntaxError.
var NEEDED = [22, 18]
var running = process.versions.node.split('.').map(Number)

if (running[0] > NEEDED[0] || (running[0] === NEEDED[0] && running[1] >= NEEDED[1])) {
  import('./run.js')
} else {
  process.stderr.write(
    'bootstrap-peer: this is Node.js ' +
      process.versions.node +
      ', but ' +
      NEEDED.join('.') +
      ' or newer is needed: install one from https://nodejs.org. In a checkout, npm ci brings one, unless npm is set to ' +
      'ignore-scripts: use it by npm start, or npx bootstrap-peer\n',
  )
  process.exitCode = 1
}
