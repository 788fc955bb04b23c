package main

import (
	"bytes"
	"image/color"
	"os"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// plot writes a picture of seconds against robots: previews on the left, and updates beside them.
func (o *options) plot(file string) error {
	plot.DefaultFont.Variant = "Sans"
	const width, height, legendWidth = 29 * vg.Centimeter, 10 * vg.Centimeter, 7 * vg.Centimeter
	legend := plot.NewLegend()
	legend.Top, legend.Left, legend.Padding = true, true, 2*vg.Millimeter
	var panels []*plot.Plot
	for i, command := range commands {
		names := &legend
		if i > 0 {
			names = nil
		}
		p, err := o.panel(command, names)
		if err != nil {
			return err
		}
		panels = append(panels, p)
	}
	canvas := vgsvg.New(width, height)
	drawing := draw.New(canvas)
	drawing.SetColor(color.White)
	drawing.Fill(drawing.Path())
	tiles := draw.Tiles{Rows: 1, Cols: len(panels), PadX: vg.Centimeter}
	for i, tile := range plot.Align([][]*plot.Plot{panels}, tiles, draw.Crop(drawing, 0, -legendWidth, 0, 0))[0] {
		panels[i].Draw(tile)
	}
	legend.Draw(draw.Crop(drawing, width-legendWidth+vg.Centimeter, 0, 0, -vg.Centimeter))
	var text bytes.Buffer
	if _, err := canvas.WriteTo(&text); err != nil {
		return err
	}
	// Where the font is not installed, another one without serifs has about the same width.
	svg := bytes.ReplaceAll(text.Bytes(), []byte("font-family:Liberation Sans"),
		[]byte("font-family:Liberation Sans,Arial,sans-serif"))
	return os.WriteFile(file, svg, 0o600)
}

// panel is the part of the picture for a command. Programs of one language have one color, and the lines of those by
// hand are dashed. It adds the programs to a legend, if there is one.
func (o *options) panel(c command, legend *plot.Legend) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = c.name
	p.X.Label.Text, p.Y.Label.Text = "robots", "seconds"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = robotTicks(o.sizes), plot.LogTicks{Prec: -1}
	p.Add(plotter.NewGrid())
	for i, l := range o.languages {
		for _, program := range []*program{l.component, l.byHand} {
			var points plotter.XYs
			for _, size := range o.sizes {
				points = append(points, plotter.XY{X: float64(size), Y: median(c.of(program.timings[size]))})
			}
			line, dots, err := plotter.NewLinePoints(points)
			if err != nil {
				return nil, err
			}
			line.Color, dots.Color, dots.Shape = plotutil.Color(i), plotutil.Color(i), draw.CircleGlyph{}
			if program == l.byHand {
				line.Dashes, dots.Shape = plotutil.Dashes(1), draw.RingGlyph{}
			}
			p.Add(line, dots)
			if legend != nil {
				legend.Add(program.name, line, dots)
			}
		}
	}
	// With one number of robots, there would be no range.
	const margin = 1.2
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Min, axis.Max = axis.Min/margin, axis.Max*margin
	}
	return p, nil
}

// robotTicks are the numbers of robots that were measured.
type robotTicks []int

// Ticks returns a tick for each.
func (sizes robotTicks) Ticks(_, _ float64) (ticks []plot.Tick) {
	for _, size := range sizes {
		ticks = append(ticks, plot.Tick{Value: float64(size), Label: strconv.Itoa(size)})
	}
	return ticks
}
