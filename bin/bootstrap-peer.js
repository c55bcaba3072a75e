#!/usr/bin/env node
// Written so that a Node of ten years ago parses it: that one should say what is wrong, and not throw a SyntaxError.

// A node takes a while to load, and a supervisor may signal it meanwhile. SIGHUP, whose default is death, waits until there
// is a list to read; a signal to stop ends what has nothing to stop yet. `stopSignal` replaces the second.
var command = process.argv[2]
if (command === undefined || command === 'start' || command[0] === '-') {
  process.on('SIGHUP', () => {})
  process.on('SIGTERM', stopped)
  process.on('SIGINT', stopped)
}
function stopped() {
  process.exit(0)
}

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
