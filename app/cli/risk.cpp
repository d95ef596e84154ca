#include "core/analysis/risk.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/experiment_figure.h"
#include "app/cli/printable.h"
#include "app/cli/replay_flags.h"
#include "app/wiring/inputs.h"
#include "app/wiring/model_diagnosis.h"
#include "core/analysis/head_kl.h"
#include "core/analysis/head_statistics.h"
#include "core/analysis/risk_charts.h"
#include "core/analysis/risk_tables.h"
#include "core/analysis/table_text.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/run_mode.h"
#include "data/capture/capture_file.h"

namespace qaq::cli {
namespace {

struct RiskCommand {
  ReplayFlags replay;
  std::string by{kDefaultHeadStatistic};
  std::string model;
  std::string figure;
  std::int64_t n_shown = 10;
  bool csv = false, markdown = false;
};

// The capture's own text again, its prefix quantized one head after the other.
void add_kl(Risk& risk, const RiskCommand& options, const CaptureInfo& info,
            const QaqParams& params, const Work& work) {
  if (risk.prefix == info.n_tokens) {
    refuse_usage({.place = "--model",
                  .what = cat("all ", info.n_tokens,
                              " tokens are quantized, so that none is left for the model to "
                              "predict"),
                  .cure = cat("give --prefix below ", info.n_tokens)});
  }
  const auto run =
      open_mixed_run(open_model_of(options.model, info),
                     {.ids = info.token_ids, .n_prompt = risk.prefix}, info.dtype, work, work);
  add_damage(risk, kl_damage(head_kl(*run, params, info.layers, work)));
}

std::string interval_text(const RankCorrelation& found) {
  return cat(fixed_text(found.interval.low, 2), " to ", fixed_text(found.interval.high, 2));
}

void print_correlations(const Risk& risk, const HeadDamage& damage,
                        const std::vector<std::optional<RankCorrelation>>& correlations) {
  std::printf("rank correlation with %s (%s), %lld heads\n", damage.name.c_str(),
              damage.what.c_str(), static_cast<long long>(risk.n_heads()));
  std::printf("  %-18s %6s  %-15s  %s\n", "statistic", "rho", "95 % interval", "as a warning");
  for (const std::size_t i : strongest_first(correlations)) {
    const HeadStatistic& of = head_statistics()[i];
    const auto& found = correlations[i];
    std::printf("  %-18s %6s  %-15s  %s\n", std::string(of.name).c_str(),
                found ? fixed_text(found->rho, 2).c_str() : "-",
                found ? interval_text(*found).c_str() : "-",
                verdict_on(found, of.low_is_risky).c_str());
  }
}

void print_risk(const Risk& risk, const CaptureInfo& info, std::size_t by, std::int64_t n_shown) {
  const HeadStatistic& statistic = head_statistics()[by];
  std::printf("%s: %lld KV heads by %s, %s first; batch, prefix %lld%s\n",
              printable(info.name).c_str(), static_cast<long long>(risk.n_heads()),
              std::string(statistic.name).c_str(), riskiest_of(statistic),
              static_cast<long long>(risk.prefix), risk.in_sample ? ", damage in-sample" : "");
  std::printf("  %-6s %-8s %16s", "layer", "KV head", std::string(statistic.name).c_str());
  for (const HeadDamage& damage : risk.damages) std::printf(" %14s", damage.name.c_str());
  std::printf("\n");
  auto order = risk.ranked_by(by);
  order.resize(static_cast<std::size_t>(std::min(n_shown, risk.n_heads())));
  for (const std::int64_t head : order) {
    const std::int64_t layer = head / risk.n_kv_heads, kv_head = head % risk.n_kv_heads;
    std::printf("  %-6d %-8lld %16s", risk.layers[static_cast<std::size_t>(layer)],
                static_cast<long long>(kv_head),
                short_text(risk.statistics(static_cast<std::int64_t>(by), layer, kv_head)).c_str());
    for (const HeadDamage& damage : risk.damages) {
      std::printf(" %14s", short_text(damage.of_head(layer, kv_head)).c_str());
    }
    std::printf("\n");
  }
  for (std::size_t d = 0; d < risk.damages.size(); ++d) {
    print_correlations(risk, risk.damages[d], risk.correlations[d]);
  }
}

void print_markdown(const Risk& risk, std::size_t by) {
  write_markdown(risk_correlation_table(risk), std::cout);
  std::cout << '\n';
  write_markdown(risk_table(risk, by), std::cout);
}

void check_figure_name(const std::string& path) {
  const auto ending = std::filesystem::path(path).extension();
  if (ending == ".svg" || ending == ".png" || ending == ".pdf") return;
  refuse_usage({.place = "--figure",
                .what = cat("'", path, "' is no name of a picture"),
                .cure = "end it in .svg, .png or .pdf"});
}

// Whether it was.
bool draw(const std::string& path, const Risk& risk, std::size_t by, const CaptureInfo& info,
          ConsoleProgress& progress, const Work& work) {
  const RiskFigure figure = risk_figure(risk, by, info.shape.n_layers);
  return draw_figure({.name = "risk",
                      .title = figure.title,
                      .model = info.model_name,
                      .items = info.name,
                      .counts = "KV heads",
                      .n = risk.n_heads(),
                      .tables = figure.tables,
                      .chart = figure.chart},
                     path + ".json", path, progress, work);
}

void run(const RiskCommand& options, const CommonOptions& common) {
  require_device(common.device);
  if (!options.figure.empty()) {
    options.replay.check_output("--figure", options.figure);
    check_figure_name(options.figure);
  }
  const Stopwatch total;
  const ScopeParams params = options.replay.params();
  if (!options.model.empty()) require_qaq(params, "qaq risk --model");
  const std::size_t by = head_statistic_named(options.by);
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  const auto capture = open_capture(options.replay.capture, work);
  const CaptureInfo& info = capture->info();
  Risk risk = assess_risk(*capture, replay_options(params, options.replay.prefix_of(info)),
                          params.violation, work);
  risk.ranked_by(by);  // what it cannot be ranked by is told before the model runs
  if (!options.model.empty()) add_kl(risk, options, info, params.qaq, work);
  const bool drawn =
      !options.figure.empty() && draw(options.figure, risk, by, info, progress, work);
  if (options.csv) {
    write_csv(risk_table(risk, by), std::cout, work);
  } else if (options.markdown) {
    print_markdown(risk, by);
  } else if (!common.json) {
    print_risk(risk, info, by, options.n_shown);
  } else {
    nlohmann::ordered_json document{{"capture", options.replay.capture},
                                    {"mode", name_of(RunMode::batch)},
                                    {"policy", params.policy},
                                    {"parameters", parameters_json(list_parameters(params))}};
    document.update(risk_json(risk, by));
    if (drawn) document["figure"] = options.figure;
    document["timing"] = {{"total", total.seconds()}};
    print_json(document);
  }
}

}  // namespace

void add_risk(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<RiskCommand>();
  CLI::App* command = program.add_subcommand(
      "risk", "Rank heads by what warns of damage, and say how well each statistic warned");
  add_replay_flags(*command, options->replay);
  std::string formulas;
  for (const HeadStatistic& each : head_statistics()) {
    formulas += cat("  ", each.name, std::string(18 - each.name.size(), ' '), each.formula, "; ",
                    riskiest_of(each), " first\n");
  }
  command->add_option("--by", options->by, "The statistic that heads are ranked by")
      ->capture_default_str();
  command->add_option("--model", options->model,
                      "Also runs the capture's model with each KV head quantized alone: KL of what "
                      "is behind the prefix, a replay each");
  command->add_option("--top", options->n_shown, "Heads that the text lists")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->capture_default_str();
  auto* csv = command->add_flag("--csv", options->csv, "Print a row a KV head as CSV");
  command->add_flag("--markdown", options->markdown, "Print correlations and heads as Markdown")
      ->excludes(csv);
  command
      ->add_option("--figure", options->figure,
                   "Draw maps of the statistic and the damage, and the correlations")
      ->type_name("F.svg|F.png|F.pdf");
  command->footer(cat(
      "Statistics of the prefix, before anything is quantized:\n", formulas,
      "Damage is the error of the head's outputs in a replay of the given setting; with --model "
      "also KL.\n"
      "Rank correlations are Spearman's over all KV heads, with the 95 % interval of Bonett and "
      "Wright\n"
      "(2000), which supposes that heads are independent; of fewer than ",
      kLeastRanked,
      " heads none is claimed. A\n"
      "statistic whose interval holds 0 warns no better than chance.\n"
      "\n",
      parameter_help(),
      "Examples:\n"
      "  qaq risk story.h5 --preset paper --prefix 64\n"
      "  qaq risk story.h5 --set n_bits_max=2 --by key_bias --figure risk.svg\n"
      "  qaq risk story.h5 --prefix 64 --model smollm2-135m --markdown\n"
      "  qaq risk story.h5 --policy kivi --csv > heads.csv"));
  command->callback([options, &common] {
    if (common.json && (options->csv || options->markdown)) {
      refuse_usage({.place = "--json",
                    .what = "standard output holds one format",
                    .cure = "leave --json out, or --csv and --markdown"});
    }
    run(*options, common);
  });
}

}  // namespace qaq::cli
