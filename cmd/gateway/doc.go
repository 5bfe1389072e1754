// Command gateway is the Outrider gateway: fixes come in over MQTT, crossings of geofences go out as Messenger
// messages.
//
//	gateway demo        everything embedded, with a Graph sandbox and a simulated fleet
//	gateway serve       the gateway
//	gateway check       check the settings and reach every dependency
//	gateway doctor      say what is missing at Meta, and whether everything here is in order
//	gateway inspect     show what devices send, and why it is refused
//	gateway replay      run recorded fixes through the engine
//	gateway geofences   check, import and export files of geofences
//	gateway journal     accept: go on in another journal
//	gateway keys        make, list and revoke API keys
//	gateway copy-db     move from SQLite to PostgreSQL
//	gateway backup      write what a gateway keeps to a file
//	gateway restore     put a backup into an empty data.dir
//	gateway support     write what helps to find a fault, without secrets, to a file
//	gateway migrate     bring the store to this version
//	gateway completion  print a script for bash, zsh or fish
//	gateway man         print a page of the manual
//	gateway version     print the version
//
// Each command explains itself with --help. The table in main.go, the flags that each command declares and the texts in
// manual are the only source of that help, of the manual pages and of the shells' completion.
package main
