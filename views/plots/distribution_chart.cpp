#include "views/plots/distribution_chart.h"

#include <QCoreApplication>
#include <cmath>

#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr double kTail = 2;  // where the paper magnifies

QString tr(const char* text) { return QCoreApplication::translate("DistributionView", text); }

std::string text(const char* words) { return tr(words).toStdString(); }

QString nameOf(CacheSide side) { return side == CacheSide::key ? tr("keys") : tr("values"); }

int styleOf(CacheSide side) { return side == CacheSide::key ? kKeyStyle : kValueStyle; }

ChartSeries outline(CacheSide side, const Histogram& histogram) {
  ChartSeries out{.name = "", .mark = ChartMark::steps, .style = styleOf(side)};
  for (std::int64_t bin = 0; bin < histogram.n_bins(); ++bin) {
    out.points.push_back({.x = histogram.centre(bin), .y = histogram.density(bin)});
  }
  return out;
}

// Both tails in one: the bins' number is even.
ChartSeries tails(CacheSide side, const Histogram& histogram) {
  ChartSeries out{.name = nameOf(side).toStdString(),
                  .mark = ChartMark::steps,
                  .style = styleOf(side),
                  .open = side == CacheSide::value};
  const std::int64_t n = histogram.n_bins();
  for (std::int64_t bin = n / 2; bin < n; ++bin) {
    if (histogram.centre(bin) < kTail) continue;
    out.points.push_back(
        {.x = histogram.centre(bin), .y = histogram.density(bin) + histogram.density(n - 1 - bin)});
  }
  return out;
}

ChartPanel valuePanel(CacheSide side, const ValueDistribution& distribution) {
  const Histogram& raw = distribution.histograms.raw;
  ChartPanel panel{.x = {.label = text("number"), .least = -raw.edge(), .most = raw.edge()},
                   .y = {.label = text("share per unit, log"), .scale = ChartScale::log}};
  panel.title = (side == CacheSide::key ? tr("Keys") : tr("Values")).toStdString();
  panel.series.push_back(outline(side, raw));
  return panel;
}

ChartPanel tailPanel(const Distributions& all) {
  const Histogram& keys = all.key.histograms.scaled;
  double most = kTail;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    most = std::max(most, all.of(side).histograms.scaled.largest());
  }
  ChartPanel panel{.title = text("Tails, in standard deviations of a token's row"),
                   .x = {.label = text("|z|"), .least = kTail, .most = std::min(most, keys.edge())},
                   .y = {.label = text("share per σ, log"), .scale = ChartScale::log}};
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    panel.series.push_back(tails(side, all.of(side).histograms.scaled));
  }
  return panel;
}

ChartPanel channelPanel(CacheSide side, const std::vector<ChannelRange>& channels) {
  ChartPanel panel{.x = {.label = text("channel"), .whole = true}, .y = {.label = text("number")}};
  panel.title =
      (side == CacheSide::key ? tr("Keys by channel") : tr("Values by channel")).toStdString();
  ChartSeries ends{.name = text("median, with 1 to 99 % of the tokens"),
                   .mark = ChartMark::points,
                   .style = styleOf(side)};
  ChartSeries least{.name = text("least and most"), .mark = ChartMark::steps, .style = kPaperStyle};
  ChartSeries most = least;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const auto x = static_cast<double>(i);
    const ChannelRange& range = channels[i];
    ends.points.push_back({.x = x, .y = range.median, .low = range.p1, .high = range.p99});
    least.points.push_back({.x = x, .y = range.least});
    most.points.push_back({.x = x, .y = range.most});
  }
  panel.series = {std::move(least), std::move(most), std::move(ends)};
  return panel;
}

}  // namespace

Chart distributionChart(const Distributions& all, CacheSide side, const QString& place) {
  Chart out{.title = text("Distributions"), .subtitle = place.toStdString()};
  out.panels = {valuePanel(CacheSide::key, all.key), valuePanel(CacheSide::value, all.value),
                tailPanel(all)};
  if (!all.of(side).channels.empty()) {
    out.panels.push_back(channelPanel(side, all.of(side).channels));
  }
  // No place is left empty.
  out.columns = out.panels.size() == 3 ? 3 : 2;
  return out;
}

QString distributionText(const ValueDistribution& distribution, const DistributionFacts& facts) {
  QString out = tr("σ %1, largest %2")
                    .arg(numberText(distribution.deviation),
                         numberText(distribution.histograms.raw.largest()));
  if (facts.isExact) return out + tr(", left exact");
  if (!facts.kept || !facts.isCut) return out;
  return out +
         tr(", kept exactly %1 (asked %2)").arg(shareText(*facts.kept), shareText(facts.ratio));
}

}  // namespace qaq::views
