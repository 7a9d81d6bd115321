package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// An iden3 container: a magic, a version, and numbered sections in any order.
type container struct {
	file     *os.File
	sections map[uint32]*io.SectionReader
}

// open finds the sections of a file.
func open(path, magic string, version uint32) (*container, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	c := &container{file, map[uint32]*io.SectionReader{}}
	var head struct {
		Magic             [4]byte
		Version, Sections uint32
	}
	if err := binary.Read(file, binary.LittleEndian, &head); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if string(head.Magic[:]) != magic || head.Version != version {
		return nil, fmt.Errorf("%s: expected %s version %d", path, magic, version)
	}
	at := int64(binary.Size(head))
	for range head.Sections {
		var section struct {
			Kind uint32
			Size int64
		}
		if err := binary.Read(io.NewSectionReader(file, at, 12), binary.LittleEndian, &section); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		c.sections[section.Kind] = io.NewSectionReader(file, at+12, section.Size)
		at += 12 + section.Size
	}
	return c, nil
}

// section is a buffered reader of one section.
func (c *container) section(kind uint32) (*bufio.Reader, error) {
	if s, ok := c.sections[kind]; ok {
		return bufio.NewReaderSize(s, 1<<20), nil
	}
	return nil, fmt.Errorf("%s: no section %d", c.file.Name(), kind)
}

// field reads a header's beginning: the size of an element and the modulus, which must be that of BN254's scalars.
func field(r io.Reader) error {
	var head struct {
		Size    uint32
		Modulus [fr.Bytes]byte
	}
	if err := binary.Read(r, binary.LittleEndian, &head); err != nil {
		return err
	}
	var expected [fr.Bytes]byte
	fr.Modulus().FillBytes(expected[:])
	for i, b := range head.Modulus {
		if head.Size != fr.Bytes || b != expected[fr.Bytes-1-i] {
			return errors.New("the field is not that of BN254's scalars")
		}
	}
	return nil
}

// readSystem builds gnark's constraint system constraint by constraint. Every wire is an input, public or secret in the
// file's order, so that a witness has them all and nothing is left to solve.
func readSystem(path string) (*cs.R1CS, error) {
	file, err := open(path, "r1cs", 1)
	if err != nil {
		return nil, err
	}
	defer file.file.Close()
	header, err := file.section(1)
	if err != nil {
		return nil, err
	}
	if err := field(header); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var counts struct {
		Wires, PublicOutputs, PublicInputs, PrivateInputs uint32
		Labels                                            uint64
		Constraints                                       uint32
	}
	if err := binary.Read(header, binary.LittleEndian, &counts); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	system := cs.NewR1CS(int(counts.Constraints))
	public := 1 + counts.PublicOutputs + counts.PublicInputs
	for wire := range counts.Wires {
		if wire < public {
			system.AddPublicVariable("")
		} else {
			system.AddSecretVariable("")
		}
	}
	gate := system.AddBlueprint(&constraint.BlueprintGenericR1C{})
	body, err := file.section(2)
	if err != nil {
		return nil, err
	}
	var row constraint.R1C
	for range counts.Constraints {
		for _, combination := range []*constraint.LinearExpression{&row.L, &row.R, &row.O} {
			if err := readCombination(body, system, counts.Wires, combination); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
		system.AddR1C(row, gate)
	}
	return system, nil
}

// readCombination reads one linear combination into `to`, whose memory it uses again.
func readCombination(r io.Reader, system *cs.R1CS, wires uint32, to *constraint.LinearExpression) error {
	var buffer [4 + fr.Bytes]byte
	if _, err := io.ReadFull(r, buffer[:4]); err != nil {
		return err
	}
	*to = (*to)[:0]
	for range binary.LittleEndian.Uint32(buffer[:]) {
		if _, err := io.ReadFull(r, buffer[:]); err != nil {
			return err
		}
		wire := binary.LittleEndian.Uint32(buffer[:])
		if wire >= wires {
			return fmt.Errorf("wire %d of %d", wire, wires)
		}
		value, err := fr.LittleEndian.Element((*[fr.Bytes]byte)(buffer[4:]))
		if err != nil {
			return err
		}
		*to = append(*to, system.MakeTerm(system.FromInterface(value), int(wire)))
	}
	return nil
}

// readWitness reads the values of all wires but the first, which is one: gnark adds it itself.
func readWitness(path string, public int) (witness.Witness, error) {
	file, err := open(path, "wtns", 2)
	if err != nil {
		return nil, err
	}
	defer file.file.Close()
	header, err := file.section(1)
	if err != nil {
		return nil, err
	}
	if err := field(header); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var wires uint32
	if err := binary.Read(header, binary.LittleEndian, &wires); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	body, err := file.section(2)
	if err != nil {
		return nil, err
	}
	values := make([]fr.Element, wires)
	for wire := range values {
		var buffer [fr.Bytes]byte
		if _, err := io.ReadFull(body, buffer[:]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if values[wire], err = fr.LittleEndian.Element(&buffer); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if len(values) < public {
		return nil, fmt.Errorf("%s: %d values for %d public wires", path, len(values), public)
	}
	feed := make(chan any, len(values))
	for _, value := range values[1:] {
		feed <- value
	}
	close(feed)
	w, err := witness.New(fr.Modulus())
	if err != nil {
		return nil, err
	}
	return w, w.Fill(public-1, len(values)-public, feed)
}
