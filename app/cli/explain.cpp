#include "core/replay/explain.h"

#include <charconv>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/printable.h"
#include "app/cli/replay_flags.h"
#include "core/analysis/cell_fate.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/policies.h"
#include "core/replay/cache_replay.h"
#include "core/replay/replayer.h"
#include "core/replay/run_mode.h"
#include "data/capture/capture_file.h"

namespace qaq::cli {
namespace {

struct ExplainCommand {
  ReplayFlags replay;
  std::string cell;
};

CellAddress parse_cell(const std::string& text) {
  const auto refuse = [&](const std::string& what) {
    refuse_usage({.place = "--cell",
                  .what = what,
                  .cure = "write key|value,LAYER,KV_HEAD,TOKEN, as in value,14,1,87"});
  };
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  if (parts.size() != 4) refuse(cat("'", text, "' is no cell"));
  CellAddress cell;
  if (parts[0] != "key" && parts[0] != "value") refuse(cat("'", parts[0], "' is no cache"));
  cell.side = parts[0] == "key" ? CacheSide::key : CacheSide::value;
  const auto number = [&](const std::string& word) {
    std::int64_t value = 0;
    const auto result = std::from_chars(word.data(), word.data() + word.size(), value);
    if (result.ec != std::errc() || result.ptr != word.data() + word.size()) {
      refuse(cat("'", word, "' is no number"));
    }
    return value;
  };
  cell.layer = number(parts[1]);
  cell.kv_head = number(parts[2]);
  cell.token = number(parts[3]);
  return cell;
}

void print_line(const std::string& name, const std::string& text) {
  std::printf("  %-16s %s\n", name.c_str(), text.c_str());
}

void print_unit(const CellExplanation& x) {
  print_line("unit", cat(x.unit_size, " values that share their bits, ",
                         x.unit_size - x.stats.n_inliers, " of them outliers, kept exactly"));
  if (x.stats.n_inliers == 0) {
    print_line("", "no value is left to quantize");
    return;
  }
  if (x.stats.n_inliers < x.unit_size) {
    print_line("outliers",
               cat("x <= ", short_number(x.stats.low), " or x > ", short_number(x.stats.high)));
    if (x.stats.has_ties()) {
      print_line("", cat("and up to place ", x.stats.last_tied,
                         " of the cell x <= ", short_number(x.stats.tied_low), " or x > ",
                         short_number(x.stats.tied_high)));
    }
  }
  std::string inliers = cat("from ", short_number(x.stats.min), " to ", short_number(x.stats.max),
                            ", mean ", short_number(x.stats.mean));
  if (x.params.method == Method::normal) {
    inliers += cat(", standard deviation ", short_number(x.stats.deviation));
  }
  print_line("inliers", inliers);
}

void print_steps(const CellExplanation& x) {
  for (const BitStep& step : x.bits.steps) {
    if (step.terms.empty()) {
      print_line(step.symbol, cat("= ", short_number(step.value), "   ", step.meaning));
      continue;
    }
    print_line(step.symbol, cat("= ", step.formula(), "   ", step.meaning));
    if (step.numbers() != step.formula()) print_line("", "= " + step.numbers());
    print_line("", "= " + short_number(step.value));
  }
}

void print_decision(const CellExplanation& x) {
  const BitChoice& choice = x.bits.choice;
  const std::string bits = cat(choice.n_bits, choice.n_bits == 1 ? " bit" : " bits");
  if (!x.params.use_attentions) {
    print_line("n_bits", cat("= n_bits_uniform = ", bits, ", as use_attentions is off"));
    return;
  }
  if (x.params.bits_rule == BitsRule::formula) {
    print_line("rounded up",
               std::isfinite(x.bits.before_rounding)
                   ? cat("= ceil(", short_number(x.bits.before_rounding), ") = ", choice.wanted)
                   : std::string("no bits are needed: any error is allowed"));
  }
  if (choice.unmet) print_line("bound_unmet", "no number of bits up to 16 keeps sigma^2");
  const std::string limits =
      cat(x.params.n_bits_min, " to ", x.params.n_bits_max, " (n_bits_min, n_bits_max)");
  const std::string clamp = choice.clamp == BitChoice::Clamp::none
                                ? cat("within ", limits)
                                : cat(name_of(choice.clamp), " acts: limits are ", limits);
  if (choice.forced) {
    print_line(
        "forced",
        x.params.has_adaptive_window()
            ? cat("token ", x.cell.token, " is among the newest ", x.prefix - x.first_forced,
                  " of ", x.prefix, ", too young for its window: they get n_bits_max")
            : cat("token ", x.cell.token, " is among the newest last_n_attentions - 1 = ",
                  x.params.last_n_attentions - 1, " of ", x.prefix, ": they get n_bits_max"));
  } else {
    print_line("clamped", clamp);
    const std::string forced =
        x.first_forced < x.prefix
            ? cat("no: only tokens ", x.first_forced, " to ", x.prefix - 1, " get n_bits_max")
            : cat("no: ",
                  x.params.fixed_window() == x.params.last_n_attentions
                      ? "last_n_attentions = 1"
                      : "a window of 1 row, or none,",
                  " forces no token");
    print_line("forced", forced);
  }
  if (choice.of_block) print_line("block", "another token of its block needs more");
  print_line("n_bits", "= " + bits);
}

void print_grid(const CellExplanation& x) {
  if (x.params.method == Method::normal) {
    print_line("codes", cat("quantiles of a normal distribution with the unit's mean and "
                            "deviation"));
  } else if (x.stats.n_inliers > 0) {
    const char* code = x.grid.offset > 0 ? "(code + 1/2)" : "code";
    print_line(
        "codes",
        cat("x' = ", code, " * ", short_number(x.grid.scale), " + ", short_number(x.grid.base),
            ", codes ", short_number(x.grid.lowest), " to ", short_number(x.grid.highest), " (",
            ChoiceNames<RangeRule>::names[static_cast<std::size_t>(range_rule_of(x.params))], ")"));
  }
  print_line("error", cat("RMS ", short_number(x.rms_error), " over the cell's channels, ",
                          x.n_outliers, " kept exactly"));
}

void print_cell(const CaptureInfo& info, const CellAddress& cell, const std::string& text) {
  std::printf("%s: %s of layer %lld (the model's number), KV head %lld, token %lld \"%s\"\n",
              info.name.c_str(), name_of(cell.side), static_cast<long long>(cell.layer),
              static_cast<long long>(cell.kv_head), static_cast<long long>(cell.token),
              printable(text).c_str());
}

void print_explanation(const CaptureInfo& info, const CellExplanation& x) {
  print_cell(info, x.cell, x.token_text);
  const auto name = [](const auto& names, auto value) {
    return std::string(names[static_cast<std::size_t>(value)]);
  };
  print_line("settings", cat("variant ", name(ChoiceNames<Variant>::names, x.params.variant),
                             ", level ", name(ChoiceNames<Level>::names, x.params.level),
                             ", method ", name(ChoiceNames<Method>::names, x.params.method)));
  if (!x.why_exact.empty()) {
    print_line(x.evicted ? "evicted" : "exact", x.why_exact);
    return;
  }
  print_unit(x);
  print_steps(x);
  print_decision(x);
  print_grid(x);
}

void print_fate(const CaptureInfo& info, const ScopeParams& params, const CellFate& fate) {
  print_cell(info, fate.cell, fate.token_text);
  const PolicyParts parts = parts_of(params.policy);
  for (const std::string& part : {parts.quantizes, parts.evicts}) {
    if (!part.empty()) print_line(part, std::string(policy_named(part).help));
  }
  for (const Parameter& each : list_parameters(params)) {
    if (each.section != "key" && each.section != "value") {
      print_line("", cat(each.name, " = ", value_text(each.value)));
    }
  }
  switch (fate.kind) {
    case CellFate::Kind::behind:
      print_line("exact", cat("the token lies behind the prefix of ", fate.prefix, " tokens"));
      break;
    case CellFate::Kind::evicted:
      print_line("evicted", "its KV head has dropped it: it has no bits and no error");
      break;
    case CellFate::Kind::exact:
      print_line("exact", "it is kept as it was");
      break;
    case CellFate::Kind::coded:
      print_line("n_bits", cat("= ", fate.n_bits, fate.n_bits == 1 ? " bit" : " bits"));
      print_line("error", cat("RMS ", short_number(*fate.rms_error), " over the cell's channels, ",
                              fate.n_outliers, " kept exactly"));
      break;
  }
  print_line("cache", cat(byte_text(fate.packed_bytes), " packed, ",
                          short_number(fate.nominal_bits), " bits a value on average, ",
                          short_number(100 * fate.kept_share), " % of it left"));
}

// Of a policy that has no formula to explain: what became of the cell.
void explain_fate(const CaptureView& capture, const ScopeParams& params,
                  const ExplainCommand& options, const CommonOptions& common, const Work& work) {
  const CellAddress cell = parse_cell(options.cell);
  checked_layer(capture.info(), cell);  // before what takes long
  Replayer replayer(capture);
  const SharedReplay result = replayer.bits(replay_options(params, options.replay.prefix), work);
  const CellFate fate = cell_fate(capture.info(), *result, cell);
  if (!common.json) {
    print_fate(capture.info(), params, fate);
    return;
  }
  nlohmann::ordered_json document{{"capture", options.replay.capture},
                                  {"mode", name_of(RunMode::batch)},
                                  {"policy", params.policy},
                                  {"parameters", parameters_json(list_parameters(params))}};
  document.update(fate_json(fate));
  print_json(document);
}

void run(const ExplainCommand& options, const CommonOptions& common) {
  require_device(common.device);
  const Stopwatch total;
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  const CellAddress cell = parse_cell(options.cell);
  const ScopeParams params = options.replay.params();
  const auto capture = open_capture(options.replay.capture, work);
  if (!params.is_qaq()) {
    explain_fate(*capture, params, options, common, work);
    return;
  }
  const CellExplanation explanation =
      explain_cell(*capture, {params.qaq, options.replay.prefix}, cell, work);
  if (!common.json) {
    print_explanation(capture->info(), explanation);
    return;
  }
  nlohmann::ordered_json document{{"capture", options.replay.capture},
                                  {"mode", name_of(RunMode::batch)},
                                  {"parameters", parameters_json(list_parameters(params))}};
  document.update(explanation_json(explanation));
  document["timing"] = {{"total", total.seconds()}};
  print_json(document);
}

}  // namespace

void add_explain(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<ExplainCommand>();
  CLI::App* command = program.add_subcommand(
      "explain", "Show how one token's keys or values got their bits, step by step");
  add_replay_flags(*command, options->replay);
  command
      ->add_option("--cell", options->cell,
                   "key or value, the model's number of a captured layer, KV head, token")
      ->type_name("key|value,LAYER,KV_HEAD,TOKEN")
      ->required();
  command->footer(
      "Parameters: see qaq replay --help.\n"
      "Examples:\n"
      "  qaq explain story.h5 --cell value,14,1,20\n"
      "  qaq explain story.h5 --cell key,14,1,20 --preset bound --json");
  command->callback([options, &common] { run(*options, common); });
}

}  // namespace qaq::cli
