#include "core/analysis/drift_experiment.h"

#include <algorithm>
#include <array>

#include "core/analysis/experiment_settings.h"
#include "core/analysis/row_table.h"
#include "core/analysis/setting_runs.h"
#include "core/analysis/text_capture.h"
#include "core/base/text.h"
#include "core/evaluate/statistics.h"
#include "core/evaluate/text_window.h"
#include "core/evaluate/time_in.h"

namespace qaq {
namespace {

constexpr std::int64_t kWindow = 256, kLeast = 16;  // tokens
constexpr std::int64_t kBins = 8;                   // of the distance
constexpr double kDodge = 0.1;                      // of a bin, between settings
constexpr double kAllowance = 0.9;                  // of the time: what comes later may be slower

std::vector<NamedSetting> settings_held() {
  std::vector<NamedSetting> out;
  for (const int n_bits : {2, 3, 4}) {
    out.push_back({cat("flat ", bits_text(n_bits)), flat_params(n_bits, 0.01)});
  }
  for (const int least : {1, 2}) {
    const QaqSetting setting{.e = 3, .n_bits_min = least};
    out.push_back({cat("qaq ", name_of(setting)), qaq_params(setting)});
  }
  return out;
}

// What one setting did at some distance.
struct Bin {
  std::vector<double> kl;
  std::int64_t n_same = 0;

  double mean() const {
    double sum = 0;
    for (const double x : kl) sum += x;
    return sum / static_cast<double>(kl.size());
  }
};

// A line a setting; `n_bins` rows each, one behind the other.
Chart drift_chart(const std::vector<NamedSetting>& settings, double width) {
  const ChartAxis x{.label = "distance behind the prefix", .unit = "token"};
  ChartPanel kl{.title = "KL from the whole cache",
                .x = x,
                .y = {.label = "mean KL", .unit = "nat", .scale = ChartScale::log}};
  ChartPanel same{.title = "Share of equal top tokens", .x = x, .y = {.label = "same_top"}};
  for (std::size_t i = 0; i < settings.size(); ++i) {
    ChartSeries series{.name = settings[i].name,
                       .mark = ChartMark::line_points,
                       .style = static_cast<int>(i),
                       .source = {.table = "", .x = "last_distance", .y = "kl_mean"}};
    for (std::int64_t bin = 0; bin < kBins; ++bin) {
      series.source.rows.push_back(static_cast<std::int64_t>(i) * kBins + bin);
    }
    kl.series.push_back(series);
    const double middle = static_cast<double>(settings.size() - 1) / 2;
    series.shift = (static_cast<double>(i) - middle) * kDodge * width;
    series.source.y = "same_top";
    series.source.low = "same_top_low";
    series.source.high = "same_top_high";
    same.series.push_back(series);
  }
  Chart out{.panels = {std::move(kl), std::move(same)}};
  out.notes = {
      "Each point is of the tokens since the point before. Bars: 95 % intervals (Wilson)."};
  return out;
}

}  // namespace

ExperimentResult run_drift(const ExperimentContext& context) {
  const std::vector<NamedSetting> settings = settings_held();
  std::vector<QaqParams> params;
  for (const NamedSetting& setting : settings) params.push_back(setting.params);
  const std::int64_t window =
      std::ssize(beginning_of(context, kLeast, kWindow)) / (2 * kBins) * (2 * kBins);
  const std::int64_t n_prefix = window / 2, width = n_prefix / kBins;
  auto windows = text_windows(std::ssize(context.text), window, n_prefix);
  std::erase_if(windows, [&](const TextWindow& each) { return each.n_tokens < window; });

  ExperimentResult out;
  out.items = "windows";
  out.n_available = std::ssize(windows);
  std::vector<std::array<Bin, kBins>> bins(settings.size());
  {
    const TimeIn all(out.seconds);
    PrefixRun run([&] { return context.open(window); }, params, context.dtype);
    std::int64_t n = out.n_available;
    for (double before = 0, spent = 0; out.n < n; ++out.n, before = spent) {
      context.work.throw_if_stopped();
      ItemResult item;
      {
        const TimeIn time(spent);
        item =
            score_window(run, context.text, windows[static_cast<std::size_t>(out.n)], context.work);
      }
      // Windows are equally long. The first brings the weights into memory; the second tells how
      // many the time allows.
      const double left = kAllowance * context.seconds - spent;
      if (out.n == 0 && left < spent) n = 1;
      if (out.n == 1) {
        n = std::clamp(2 + static_cast<std::int64_t>(left / (spent - before)), std::int64_t{2}, n);
      }
      for (std::size_t i = 0; i < settings.size(); ++i) {
        const SettingResult& result = item.settings[i];
        for (std::size_t at = 0; at < result.kl.size(); ++at) {
          const auto bin = std::min(static_cast<std::int64_t>(at) / width, kBins - 1);
          bins[i][static_cast<std::size_t>(bin)].kl.push_back(result.kl[at]);
          bins[i][static_cast<std::size_t>(bin)].n_same += result.same_top[at];
        }
      }
      context.work.report({"experiment", out.n + 1, n, "windows"});
    }
  }
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    for (std::int64_t at = 0; at < kBins; ++at) {
      Bin& bin = bins[i][static_cast<std::size_t>(at)];
      std::ranges::sort(bin.kl);
      const auto n = static_cast<double>(bin.kl.size());
      const Interval same = wilson_interval(bin.n_same, std::ssize(bin.kl));
      rows.push_back({settings[i].name, at * width + 1, (at + 1) * width, std::ssize(bin.kl),
                      real_cell(bin.mean()), real_cell(quantile(bin.kl, 0.5)),
                      real_cell(static_cast<double>(bin.n_same) / n), real_cell(same.low),
                      real_cell(same.high)});
    }
    out.remarks.push_back(cat(settings[i].name, ": mean KL ", short_text(bins[i].front().mean()),
                              " nat over the first ", width, " tokens behind the prefix, ",
                              short_text(bins[i].back().mean()), " over the last."));
  }
  const auto real = [](const char* name, const char* unit = "1") {
    return Column{.name = name, .kind = ColumnKind::real, .unit = unit};
  };
  out.tables.push_back({"", "KL by distance behind the quantized prefix",
                        table_of({{.name = "setting", .kind = ColumnKind::text},
                                  {.name = "first_distance"},
                                  {.name = "last_distance"},
                                  {.name = "n"},
                                  real("kl_mean", "nat"),
                                  real("kl_median", "nat"),
                                  real("same_top"),
                                  real("same_top_low"),
                                  real("same_top_high")},
                                 std::move(rows))});
  out.chart = drift_chart(settings, static_cast<double>(width));
  out.settings.push_back(cat("windows of ", window, " tokens, ", n_prefix,
                             " further on each; the "
                             "first ",
                             n_prefix,
                             " quantized once, what follows exact and given "
                             "(teacher-forced); level head, 1 % outliers"));
  return out;
}

}  // namespace qaq
