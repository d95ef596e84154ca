#include "views/plots/pair_pane.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/heatmap_tile.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr double kClickReach = 7;  // px around a triangle

/// From one pair to the power of ten that no bin exceeds.
ColorMap countColors(const Heatmap& map) {
  const double most = std::max(10.0, static_cast<double>(largest_value(map).value_or(0)));
  return ColorMap::logarithmic(Palette::of(ThemeKind::light).viridis(), 1,
                               std::pow(10.0, std::ceil(std::log10(most) - 1e-9)));
}

}  // namespace

/// Violations where their pair lies.
class PairPane::JumpMarks : public ViolationMarks {
 public:
  JumpMarks(QCPAxisRect* axes, const QString& layer, const JumpLines* lines)
      : ViolationMarks(axes, layer), m_lines(lines) {}

 protected:
  QPointF placeOf(const Violation& violation) const override {
    const double fair = violation.step + 1;
    return {m_lines->column(fair * violation.window_max), m_lines->row(fair * violation.score)};
  }

 private:
  const JumpLines* m_lines;
};

QString headsText(const HeadRange& heads) {
  if (heads.n_heads == 1) return PairPane::tr("query head %1").arg(heads.first_head);
  return PairPane::tr("query heads %1–%2")
      .arg(heads.first_head)
      .arg(heads.first_head + heads.n_heads - 1);
}

PairPane::PairPane(QWidget* parent)
    : MapPane(parent),
      m_bar(new ColorBar(this)),
      m_lines(new JumpLines(axisRect(), kMarksLayer)),
      m_marks(new JumpMarks(axisRect(), kMarksLayer, m_lines)),
      m_xDecades(new DecadeTicker(xAxis)),
      m_yDecades(new DecadeTicker(yAxis, /*upwards=*/true)) {
  setFooter(m_bar);
  addOverlay(m_lines);
  addOverlay(m_marks);
  xAxis->setTicker(m_xDecades);
  yAxis->setTicker(m_yDecades);
  setHeadings(tr("Importance persistence"), {});
  setTheme(Theme::of(ThemeKind::light));
}

QStringList PairPane::subtitles() const {
  const CaptureInfo& info = m_pairs->slice->analysis->capture->info();
  const Slice& slice = m_pairs->slice->slice;
  const QString dot = QStringLiteral(" · ");
  if (m_pairs->isWhole) {
    const auto captured = info.n_captured_layers();
    const QString layers =
        captured == info.shape.n_layers
            ? tr("all layers and heads")
            : tr("%1 of %2 layers, all heads").arg(captured).arg(info.shape.n_layers);
    return {layers};
  }
  const QString layer = tr("layer %1").arg(info.layers[static_cast<std::size_t>(slice.layer)]);
  const QString heads = headsText(headsOf(slice, info));
  return {layer + dot + heads, layer};
}

void PairPane::show(const SharedPairs& pairs) {
  m_pairs = pairs;
  const PairHistogram& histogram = pairs->counts->histogram;
  const ViolationParams& params = pairs->slice->analysis->violationParams;
  setHeadings(tr("Importance persistence"), subtitles());
  setAxisLabels(tr("window maximum, n = %1 (fair shares, log)").arg(histogram.window),
                tr("next score (fair shares, log)"));
  m_xDecades->setBins(histogram.bins);
  m_yDecades->setBins(histogram.bins);
  const QString share = shareText(histogram.violation_share());
  const QString number = QLocale().toString(static_cast<qlonglong>(histogram.n_violations));
  const QString pairsText = counted(histogram.n_pairs, tr("1 pair"), tr("%1 pairs"));
  m_lines->set(histogram.bins, params,
               tr("violations: %1 of %2 (%3)").arg(number, pairsText, share));
  m_marks->setViolations({pairs->counts, &pairs->counts->jumps});
  if (histogram.n_pairs == 0) {
    m_bar->setScale({}, {});
    m_bar->setNotes(ColorBar::Mark::none, {});
    setMessage(tr("No step has %1 captured rows before it to compare with. Choose a smaller "
                  "violation_window, or capture more rows.")
                   .arg(histogram.window));
    return;
  }
  const ColorMap colors = countColors(*pairs->counts->map);
  m_bar->setScale(colors, tr("pairs a bin, log"));
  const bool isMany = std::ssize(pairs->counts->jumps) > ViolationMarks::kMost;
  const QString marks = isMany ? tr("violations, the largest drawn") : tr("violations");
  m_bar->setNotes(ColorBar::Mark::violation,
                  {marks + tr("; fair share: 1/(step + 1)"), marks, tr("violations")});
  setMap(pairs->counts->map, colors);
}

void PairPane::updateLayout() {
  applyMargins();
  MapPane::updateLayout();
  const QSize plot = axisRect()->size();
  const int side = std::min(plot.width(), plot.height());
  if (side <= 0) return;
  axisRect()->setMargins(axisRect()->margins() +
                         QMargins(0, 0, plot.width() - side, plot.height() - side));
  MapPane::updateLayout();
}

std::optional<Violation> PairPane::violationAt(const QPointF& position) const {
  return m_marks->nearest(position, kClickReach);
}

MarkedCell PairPane::placeOf(int step, int token) const {
  if (!m_pairs || step < 0 || token > step) return {};
  const PairMaps& pairs = *m_pairs->pairs;
  if (!Heatmap::is_value(pairs.ratio.at(step, token))) return {};
  const LogBins& bins = m_pairs->counts->histogram.bins;
  const auto fair = static_cast<float>(step + 1);
  return {.row = bins.size() - 1 - bins.index(fair * pairs.score(step, token)),
          .column = bins.index(fair * pairs.window_max(step, token))};
}

QString PairPane::binText(int row, int column) const {
  const PairHistogram& histogram = m_pairs->counts->histogram;
  const int y = histogram.bins.size() - 1 - row;
  const std::int64_t n = histogram.pairs(y, column), jumps = histogram.violations(y, column);
  if (n == 0) return {};
  QString text = counted(n, tr("1 pair"), tr("%1 pairs"));
  if (jumps > 0) {
    text += tr(", ") + counted(jumps, tr("1 of them a violation"), tr("%1 of them violations"));
  }
  const auto span = [&](int bin) {
    const QString high = numberText(histogram.bins.edge(bin + 1));
    return bin == 0 ? tr("below %1").arg(high)
                    : tr("%1 to %2").arg(numberText(histogram.bins.edge(bin)), high);
  };
  return text + tr("; window maximum %1, score %2 fair shares").arg(span(column), span(y));
}

}  // namespace qaq::views
