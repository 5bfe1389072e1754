// Package app is the whole gateway as a value: [New] puts the parts together, [App.Start] sets them going,
// [App.Stop] ends them in reverse. Tests start it in-process on random ports; commands add only flags and
// signals. [Demo] is the same with a Graph sandbox and a simulated fleet beside it.
//
// This is the only package that knows which implementations exist.
package app
