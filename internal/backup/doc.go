// Package backup is the form of a backup: a gzipped tar file that ends with a manifest, which names each file and its
// SHA-256 sum. A file that was cut, or changed by a disk, has no manifest or another sum, and is refused before
// anything is put in its place.
//
// [NewWriter] begins one, [Extract] unpacks one. The package does not know what the files are.
package backup
