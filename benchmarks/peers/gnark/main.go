// Command gnark measures gnark's Groth16 on an iden3 constraint system and witness, with a key of its own.
//
//	gnark -r1cs circuit.r1cs -wtns witness.wtns -key circuit.gnark
//
// The key is made and written if the file is absent. One line of JSON tells that everything is loaded; then each line
// on standard input asks for a proof, which is made, verified (outside of the time told), and answered with its
// wall-clock and processor seconds, and the most memory the process has held. The end of input is the end.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/logger"
)

// figures of a piece of work: seconds by the clock, seconds of all threads and of the kernel for them, and the most
// memory until its end, in MiB.
type figures struct {
	Wall float64 `json:"wall_s"`
	CPU  float64 `json:"cpu_s"`
	Peak float64 `json:"peak_mib"`
}

func measure(work func() error) (figures, error) {
	before, _ := usage()
	start := time.Now()
	err := work()
	wall := time.Since(start).Seconds()
	after, peak := usage()
	return figures{wall, after - before, peak}, err
}

// usage is this process's processor seconds and peak memory so far.
func usage() (cpu, peak float64) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // it fails on bad arguments alone
	}
	unit := 1 << 10
	if runtime.GOOS == "darwin" {
		unit = 1 << 20
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds(), float64(used.Maxrss) / float64(unit)
}

func main() {
	r1cs := flag.String("r1cs", "", "constraint system")
	wtns := flag.String("wtns", "", "witness")
	key := flag.String("key", "", "gnark's keys; made if absent")
	flag.Parse()
	logger.Disable()
	if err := run(*r1cs, *wtns, *key); err != nil {
		fmt.Fprintln(os.Stderr, "gnark:", err)
		os.Exit(1)
	}
}

func run(r1csPath, wtnsPath, keyPath string) error {
	system, err := readSystem(r1csPath)
	if err != nil {
		return err
	}
	full, err := readWitness(wtnsPath, system.GetNbPublicVariables())
	if err != nil {
		return err
	}
	public, err := full.Public()
	if err != nil {
		return err
	}
	pk, vk := groth16.NewProvingKey(ecc.BN254), groth16.NewVerifyingKey(ecc.BN254)
	var setup *figures
	err = readKeys(keyPath, pk, vk)
	if errors.Is(err, fs.ErrNotExist) {
		setup = new(figures)
		*setup, err = measure(func() (err error) {
			pk, vk, err = groth16.Setup(system)
			return err
		})
		if err == nil {
			err = writeKeys(keyPath, pk, vk)
		}
	}
	if err != nil {
		return err
	}
	runtime.GC()
	answers := json.NewEncoder(os.Stdout)
	if err := answers.Encode(loaded(system, setup)); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var proof groth16.Proof
		took, err := measure(func() (err error) {
			proof, err = groth16.Prove(system, pk, full)
			return err
		})
		if err != nil {
			return err
		}
		if err := groth16.Verify(proof, vk, public); err != nil {
			return err
		}
		if err := answers.Encode(took); err != nil {
			return err
		}
	}
	return nil
}

// loaded is what the first line tells.
func loaded(system *cs.R1CS, setup *figures) map[string]any {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/consensys/gnark" {
				version = module.Version
			}
		}
	}
	return map[string]any{
		"version":     fmt.Sprintf("%s, %s", version, runtime.Version()),
		"constraints": system.GetNbConstraints(),
		"setup":       setup,
	}
}

// readKeys reads what writeKeys wrote; nothing is checked.
func readKeys(path string, pk groth16.ProvingKey, vk groth16.VerifyingKey) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	reader := bufio.NewReaderSize(file, 1<<20)
	if _, err := vk.UnsafeReadFrom(reader); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := pk.ReadDump(reader); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// writeKeys writes both keys, whole or not at all.
func writeKeys(path string, pk groth16.ProvingKey, vk groth16.VerifyingKey) error {
	file, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	writer := bufio.NewWriterSize(file, 1<<20)
	_, err = vk.WriteRawTo(writer)
	err = errors.Join(err, pk.WriteDump(writer), writer.Flush(), file.Close())
	if err != nil {
		return errors.Join(err, os.Remove(path+".part"))
	}
	return os.Rename(path+".part", path)
}
