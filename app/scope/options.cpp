#include "app/scope/options.h"

#include <charconv>

#include "core/analysis/run_tradeoff.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "data/capture/capture_file.h"
#include "data/presets/preset.h"

namespace qaq::scope {
namespace {

constexpr int kLeastSide = 160, kMostSide = 16384;

std::optional<int> sideOf(std::string_view text) {
  int side = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), side);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  if (side < kLeastSide || side > kMostSide) return std::nullopt;
  return side;
}

}  // namespace

void addOptions(CLI::App& app, Options& options) {
  app.add_option("--policy", options.policy,
                 "What decides the bits and what is evicted, as in qaq replay; two as in qaq+h2o")
      ->type_name("NAME[+NAME]")
      ->default_str("qaq");
  app.add_option("--preset", options.preset, "A bundled preset or a JSON file: paper, bound, FILE");
  app.add_option("--set", options.assignments,
                 "A parameter, name=value, as in qaq replay; repeatable")
      ->allow_extra_args(false);
  app.add_option("--prefix", options.prefix, "Quantize the first P tokens; 0: all")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--theme", options.theme, "light or dark")
      ->check(CLI::IsMember({"light", "dark"}));
  app.add_option("--size", options.size, "Size in px, WxH");
}

ScopeParams paramsOf(const Options& options) {
  return scope_params_from(options.policy, options.preset, options.assignments);
}

QSize parseSize(const std::string& text) {
  const std::size_t times = text.find('x');
  if (times != std::string::npos) {
    const auto width = sideOf(std::string_view(text).substr(0, times));
    const auto height = sideOf(std::string_view(text).substr(times + 1));
    if (width && height) return {*width, *height};
  }
  refuse_usage({.place = "--size",
                .what = cat("'", text, "' is no size"),
                .cure = cat("give WxH with sides from ", kLeastSide, " to ", kMostSide,
                            ", as in 1600x1000")});
}

std::optional<QSize> sizeOf(const Options& options) {
  if (options.size.empty()) return std::nullopt;
  return parseSize(options.size);
}

std::optional<views::Cursor> cellOf(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const QStringList parts = QString::fromStdString(text).split(QLatin1Char(','));
  const bool named =
      parts.first() == QLatin1String("key") || parts.first() == QLatin1String("value");
  bool whole = named && (parts.size() == 4 || parts.size() == 5);
  std::vector<int> numbers;
  for (int i = 1; i < parts.size() && whole; ++i) {
    numbers.push_back(parts[i].toInt(&whole));
    whole = whole && numbers.back() >= 0;
  }
  if (!whole) {
    refuse_usage({.place = "--cell",
                  .what = cat("'", text, "' is no cell"),
                  .cure = "give key|value,LAYER,KV_HEAD,TOKEN[,STEP], as in value,14,1,56"});
  }
  return views::Cursor{
      .side = parts.first() == QLatin1String("key") ? CacheSide::key : CacheSide::value,
      .layer = numbers[0],
      .kvHead = numbers[1],
      .token = numbers[2],
      .step = numbers.size() > 3 ? numbers[3] : views::Cursor::kNone};
}

std::vector<std::pair<const char*, bool>> settingFlags(const Options& options) {
  return {{"--policy", !options.policy.empty()},
          {"--preset", !options.preset.empty()},
          {"--set", !options.assignments.empty()},
          {"--prefix", options.prefix != 0}};
}

void takeRun(const RunName& name, const Options& options, ScopeParams& params,
             std::int64_t& prefix) {
  for (const auto& [flag, isGiven] : settingFlags(options)) {
    if (!isGiven) continue;
    refuse_usage({.place = flag,
                  .what = cat("does not go with the run '", name.run, "'"),
                  .cure = "leave it out: the run has its own setting"});
  }
  const RunSummary run = summary_of(*load_run(name.file, name.run), name.run);
  take_policy(params, run.params);
  prefix = run.prefix;
}

views::ThemeKind themeOf(const Options& options) {
  return options.theme == "dark" ? views::ThemeKind::dark : views::ThemeKind::light;
}

}  // namespace qaq::scope
