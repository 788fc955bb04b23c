// Command archive packs a folder into a .tar.gz file: the same files give the same bytes, whoever packs them, when and
// on which system. That is what no tar that all systems have can do.
//
//	archive -time SECONDS FILE FOLDER
package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	seconds := flag.Int64("time", 0, "the `time` of all files, in seconds since 1970")
	// Windows keeps no such mode, and an archive that is made there is to be the same.
	executable := flag.String("executable", "", "the `name` prefix of the files that can be executed")
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	if err := pack(flag.Arg(0), flag.Arg(1), *executable, time.Unix(*seconds, 0)); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

// pack writes an archive of the regular files in a folder, in the order of their names.
func pack(file, folder, executable string, modified time.Time) (err error) {
	out, err := os.Create(file) //nolint:gosec // The caller names it.
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	// The header of a new writer names neither a file nor a time nor a system.
	zip, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(zip)
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a folder", path)
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		mode := int64(0o644)
		if executable != "" && strings.HasPrefix(name, executable) {
			mode = 0o755
		}
		return add(archive, root, name, mode, modified)
	})
	// The writers end their formats when they are closed, so that closing is a part of the work.
	return errors.Join(err, archive.Close(), zip.Close())
}

func add(archive *tar.Writer, root *os.Root, name string, mode int64, modified time.Time) error {
	file, err := root.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: filepath.ToSlash(name), Size: info.Size(), Mode: mode, ModTime: modified,
	}); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}
