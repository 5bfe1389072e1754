// Package cluster divides numbered parts of work among the processes that take part in it: each part has one owner, and
// each process its fair share. [Keeper] is one process's side of it; what the processes know of each other is in a
// store.Shares.
//
// No two machines' clocks need to agree: a process is given up for dead when another one has looked on for a lease
// without seeing its heartbeat, by the clock of the one that looks. It may be alive all the same, and only slow: what
// it writes must be refused by a fence of its own, such as a lane's epoch.
package cluster
