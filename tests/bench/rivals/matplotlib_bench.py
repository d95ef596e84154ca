"""matplotlib's imshow of a float32 matrix into 1200 x 700 pixels on Agg, as one of the programs of ../heatmap.

    matplotlib_bench.py ROWS COLUMNS

Speaks the protocol of README.md: `paint` (a new figure, drawn, as matplotlib does it by default), `paint_nearest` (the same
without smoothing, its fastest), `recolour` (other colours), `pan` (half of the matrix, moved by 40 pixels).
"""

import sys

import matplotlib
import numpy
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from protocol import Stopwatch, serve


class Rival:
    def __init__(self, rows, columns):
        index = numpy.arange(1, rows * columns + 1, dtype=numpy.uint32)
        index *= numpy.uint32(2654435761)
        self.cells = ((index >> 8).astype(numpy.float32) * numpy.float32(2**-24)).reshape(rows, columns)
        self.commands = {"paint": self.paint, "paint_nearest": lambda: self.paint(interpolation="nearest"),
                         "recolour": self.recolour, "pan": self.pan}

    def hello(self):
        return {"program": "matplotlib", "version": matplotlib.__version__}

    def paint(self, **options):
        watch = Stopwatch()
        figure = Figure(figsize=(12, 7), dpi=100)
        self.canvas = FigureCanvasAgg(figure)
        self.axes = figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.image = self.axes.imshow(self.cells, aspect="auto", cmap="viridis", norm=LogNorm(1e-4, 1), **options)
        self.canvas.draw()
        return {"seconds": watch.seconds()}

    def recolour(self):
        self.image.set_cmap("cividis" if self.image.get_cmap().name == "viridis" else "viridis")
        return self.draw()

    def pan(self):
        rows, columns = self.cells.shape
        left = columns / 4 + columns / 2 * 40 / 1200
        self.axes.set_xlim(left, left + columns / 2)
        self.axes.set_ylim(rows * 3 / 4, rows / 4)
        return self.draw()

    def draw(self):
        watch = Stopwatch()
        self.canvas.draw()
        return {"seconds": watch.seconds()}


if __name__ == "__main__":
    serve(Rival(int(sys.argv[1]), int(sys.argv[2])))
