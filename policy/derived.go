package policy

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/policy/subject"
)

// Examples reports what is wrong in the subjects of the cases: a member that there is not, or one that
// follows from the rest and is set to something else.
func (c *Control) Examples() error {
	var faults []error
	for _, k := range c.Cases {
		_, err := c.Example(k.Name)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// example reads a subject and works out what follows. What says otherwise than that is a fault: it would
// be passed over, and the case be of something else than it seems. What the base says is held against what
// follows there: here something else may follow, and takes its place.
func (d Document) example() (*subject.Subject, error) {
	said, x := &subject.Subject{Settings: subject.Usual()}, &subject.Subject{Settings: subject.Usual()}
	for _, to := range []*subject.Subject{said, x} {
		if err := d.into(to); err != nil {
			return nil, err
		}
	}
	x.Derive()
	x.Risk, _ = Risk(x)
	return x, d.overruled(d.itself, reflect.ValueOf(said).Elem(), reflect.ValueOf(x).Elem(), "")
}

// overruled finds the members that a part of a document sets, said, and that come out otherwise, is.
func (d Document) overruled(part any, said, is reflect.Value, path string) error {
	var faults []error
	switch part := part.(type) {
	case map[string]any:
		if said.Kind() != reflect.Struct {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(part)) {
			if i, ok := memberOf(said.Type(), name); ok {
				faults = append(faults, d.overruled(part[name], said.FieldByIndex(i), is.FieldByIndex(i), join(path, name)))
			}
		}
		return errors.Join(faults...)
	case []any:
		if said.Kind() == reflect.Slice && said.Type().Elem().Kind() == reflect.Struct && said.Len() == len(part) && is.Len() == len(part) {
			for i := range part {
				faults = append(faults, d.overruled(part[i], said.Index(i), is.Index(i), join(path, strconv.Itoa(i))))
			}
			return errors.Join(faults...)
		}
	}
	if reflect.DeepEqual(said.Interface(), is.Interface()) || said.Kind() == reflect.Slice && said.Len() == 0 && is.Len() == 0 {
		return nil
	}
	name := path[strings.LastIndexByte(path, '.')+1:]
	return d.fault(name, "%s cannot be set: it is derived from the rest of the case, and comes to %s there", path, valueOf(is))
}

// memberOf is the field that JSON calls by a name.
func memberOf(t reflect.Type, name string) ([]int, bool) {
	for _, f := range reflect.VisibleFields(t) {
		if of, _, _ := strings.Cut(f.Tag.Get("json"), ","); of == name && !f.Anonymous {
			return f.Index, true
		}
	}
	return nil, false
}

// valueOf says shortly what a member is.
func valueOf(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', 3, 64)
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Slice:
		return strconv.Itoa(v.Len()) + " of them"
	}
	return "something else"
}
