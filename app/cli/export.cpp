#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/console.h"
#include "app/cli/printable.h"
#include "app/cli/replay_flags.h"
#include "core/analysis/bits_deficit.h"
#include "core/analysis/table_text.h"
#include "core/analysis/tables.h"
#include "core/analysis/violation_summary.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/planner.h"
#include "core/replay/replayer.h"
#include "core/replay/run_mode.h"
#include "data/capture/capture_file.h"
#include "data/capture/table_file.h"
#include "data/files/whole_file.h"

namespace qaq::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ExportCommand {
  ReplayFlags replay;
  std::string what;
  std::string format;
  std::string output;
};

// The format asked for, or the natural one. Refuses what cannot go to standard output.
std::string format_of(const ExportCommand& options, const CommonOptions& common) {
  if (!options.output.empty()) return options.format.empty() ? "csv" : options.format;
  if (options.format == "h5") {
    refuse_usage({.place = "--format",
                  .what = "h5 cannot go to standard output",
                  .cure = "name a file with -o FILE"});
  }
  if (common.json && options.format == "csv") {
    refuse_usage({.place = "--json",
                  .what = "standard output cannot hold CSV and JSON",
                  .cure = "leave --json out, or name a file with -o FILE"});
  }
  return options.format.empty() ? (common.json ? "json" : "csv") : options.format;
}

// Rows, and what a JSON document or an HDF5 file says of them all.
struct Exported {
  Table table;
  Json summary{};
};

// What rows of violations alone do not tell. Steps and tokens they do.
Json summary_of(const ViolationReport& report, const CaptureInfo& info,
                const std::vector<std::optional<int>>& deficits) {
  Json out = violations_json(report, info, deficits, std::nullopt);
  for (const char* name : {"per_step", "tokens", "persistence"}) out.erase(name);
  return out;
}

Exported violations_of(const CaptureView& capture, Replayer& replayer, const ReplayOptions& options,
                       const ViolationParams& params, const Work& work) {
  if (capture.info().profile == AttentionProfile::none) {
    refuse_input({.file = capture.info().name,
                  .place = "/entry/attention",
                  .what = "holds no attention, so that no violation can be found",
                  .cure = "capture again with --attention derive"});
  }
  const QaqSideParams& value = options.params.value;
  ViolationReport report = find_violations(capture, params, value.last_n_attentions, work);
  auto deficits = bits_deficits(report, capture.info(), replayer.plans(options, work).value, value);
  Json summary = summary_of(report, capture.info(), deficits);
  return {violations_table(std::move(report), std::move(deficits), capture.info()),
          std::move(summary)};
}

Exported exported(const ExportCommand& options, const CaptureView& capture,
                  const ScopeParams& params, const Work& work) {
  const CaptureInfo& info = capture.info();
  Replayer replayer(capture);
  const ReplayOptions how = replay_options(params, options.replay.prefix);
  if (options.what == "violations" || options.what == "importance") {
    require_qaq(params, cat("--what ", options.what));
  }
  if (options.what == "violations") {
    return violations_of(capture, replayer, how, params.violation, work);
  }
  if (options.what == "importance") {
    const std::int64_t prefix = replayer.plans(how, work).value.plan.layout.shape().n_tokens;
    return {importance_table(capture,
                             {.prefix = prefix,
                              .n_rows = params.qaq.value.last_n_attentions,
                              .reduce = params.qaq.gqa_reduce},
                             work)};
  }
  if (options.what == "score-errors") {
    return {score_errors_table(replayer.full(how, work), info)};
  }
  const SharedReplay result = replayer.bits(how, work);
  if (options.what == "outliers") return {outliers_table(result, info)};
  return {options.what == "errors" ? errors_table(result, info) : bits_table(result, info)};
}

void write_text(const Table& table, const std::string& format, const Json& head, std::ostream& out,
                const Work& work) {
  if (format == "json") {
    write_json(table, head, out, work);
  } else {
    write_csv(table, out, work);
  }
}

void report_file(const ExportCommand& options, const std::string& format, const Table& table,
                 bool json) {
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(options.output));
  if (json) {
    print_json({{"file", options.output},
                {"what", options.what},
                {"format", format},
                {"rows", table.n_rows},
                {"bytes", bytes}});
  } else {
    std::printf("%s: %s, %lld rows, %s\n", printable(options.output).c_str(), options.what.c_str(),
                static_cast<long long>(table.n_rows), byte_text(bytes).c_str());
  }
}

void run(const ExportCommand& options, const CommonOptions& common) {
  require_device(common.device);
  const std::string format = format_of(options, common);
  if (!options.output.empty()) options.replay.check_output("-o", options.output);
  ConsoleProgress progress(common.quiet);
  const Work work(&progress, Interruption::stop_token());
  const ScopeParams params = options.replay.params();
  const auto capture = open_capture(options.replay.capture, work);
  const auto [table, summary] = exported(options, *capture, params, work);

  Json head{{"schema_version", 1},
            {"capture", capture->info().name},
            {"what", options.what},
            {"mode", name_of(RunMode::batch)},
            {"policy", params.policy},
            {"parameters", parameters_json(list_parameters(params))},
            {"n_tokens", capture->info().n_tokens},
            {"prefix", checked_prefix(capture->info(), options.replay.prefix)}};
  if (!summary.is_null()) head["summary"] = summary;
  if (options.output.empty()) {
    write_text(table, format, head, std::cout, work);
    if (!std::cout.flush()) {
      throw Error(ErrorKind::work, {.file = "standard output",
                                    .what = "cannot be written",
                                    .cure = "name a file with -o FILE"});
    }
    return;
  }
  if (format == "h5") {
    head["provenance"] = provenance();
    write_table_file(options.output, table, head, work);
  } else {
    write_whole(options.output,
                [&](std::ostream& out) { write_text(table, format, head, out, work); });
  }
  report_file(options, format, table, common.json);
}

}  // namespace

void add_export(CLI::App& program, const CommonOptions& common) {
  auto options = std::make_shared<ExportCommand>();
  CLI::App* command =
      program.add_subcommand("export", "A replay's numbers as rows: CSV, JSON or HDF5");
  add_replay_flags(*command, options->replay);
  command->add_option("--what", options->what, "Which numbers")
      ->required()
      ->check(CLI::IsMember(
          {"bits", "outliers", "errors", "score-errors", "violations", "importance"}));
  command
      ->add_option("--format", options->format,
                   "csv, the default; json, the default with --json; or h5, which needs -o")
      ->check(CLI::IsMember({"csv", "json", "h5"}));
  command->add_option("-o,--output", options->output, "The file; without it, standard output");
  command->footer(
      "Rows, each with the model's layer and its position:\n"
      "  bits        cache, layer, kv_head, token: bits of its unit; dtype_bits behind the "
      "prefix;\n"
      "              none and evicted = 1 where its KV head has dropped it\n"
      "  outliers    cache, layer, kv_head, token: values kept exactly, and their channels\n"
      "  errors      cache, layer, kv_head, token: mean squared error over channels\n"
      "  score-errors  layer, head, kv_head, step behind the prefix (without one, any): squared\n"
      "              score differences summed over keys, and mean squared output difference\n"
      "  violations  layer, head, kv_head, step, token: score, maximum of the window before it,\n"
      "              their ratio, and the bits that the score asks for less those given\n"
      "  importance  layer, kv_head, token: maximum over the last rows, which values' bits follow\n"
      "JSON and HDF5 say the mode, the prefix and every parameter; of violations also how many "
      "pairs\n"
      "there were, the rate, counts by layer and head, the violated mass and the missing bits.\n"
      "A cell is empty (JSON: null) where there is no value. Numbers read back as the same "
      "float32.\n"
      "\n" +
      parameter_help() +
      "Examples:\n"
      "  qaq export story.h5 --what bits --preset paper > bits.csv\n"
      "  qaq export story.h5 --what violations --set violation_ratio=8 --format json -o v.json\n"
      "  qaq export story.h5 --what errors --prefix 256 --format h5 -o errors.h5");
  command->callback([options, &common] { run(*options, common); });
}

}  // namespace qaq::cli
