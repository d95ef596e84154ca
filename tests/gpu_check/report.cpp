#include "tests/gpu_check/report.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/text.h"
#include "gpu/device/probe.h"

namespace qaq::gpu_check {
namespace {

using Json = nlohmann::ordered_json;

Json number_or_null(std::optional<double> number) {
  return number && *number > 0 ? Json(*number) : Json(nullptr);
}

Json json_of(const Row& row, const Machine& machine) {
  Json json{{"section", row.section},
            {"group", row.group},
            {"name", row.name},
            {"shape", row.shape},
            {"verdict", verdict_name(row.verdict)}};
  if (!row.note.empty()) json["note"] = row.note;
  if (row.compared) {
    json["worst"] = row.compared->worst;  // null where it is infinite
    json["bound"] = row.compared->bound;
    json["digest"] = cat(std::hex, row.compared->digest);
  }
  if (row.timed) {
    const Timed& timed = *row.timed;
    const bool arithmetic = is_arithmetic(timed.limit);
    json["seconds"] = number_or_null(timed.seconds);
    json["bytes"] = number_or_null(timed.bytes);
    if (arithmetic) json["operations"] = timed.operations;
    json[arithmetic ? "operations_per_second" : "bytes_per_second"] =
        number_or_null(rate_of(timed));
    json["share_of_datasheet"] = number_or_null(datasheet_share(timed, machine));
    json["share_of_measured_copy"] = number_or_null(copy_share(timed, machine));
    json["goal_share_of_datasheet"] = number_or_null(timed.goal);
    json["goal_seconds"] = number_or_null(timed.most_seconds);
  }
  return json;
}

}  // namespace

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::none:
      return "";
    case Verdict::ok:
      return "ok";
    case Verdict::slow:
      return "slow";
    case Verdict::failed:
      return "FAILED";
    case Verdict::skipped:
      return "skipped";
  }
  return "";
}

bool is_arithmetic(Limit limit) {
  return limit == Limit::arithmetic || limit == Limit::half_arithmetic;
}

double rate_of(const Timed& timed) {
  if (timed.seconds <= 0) return 0;
  return (is_arithmetic(timed.limit) ? timed.operations : timed.bytes) / timed.seconds;
}

std::optional<double> datasheet_share(const Timed& timed, const Machine& machine) {
  if (rate_of(timed) <= 0 || timed.limit == Limit::link) return std::nullopt;
  const double full = timed.limit == Limit::arithmetic        ? machine.f32_rate
                      : timed.limit == Limit::half_arithmetic ? machine.half_rate
                                                              : machine.memory_rate;
  if (full <= 0) return std::nullopt;
  return rate_of(timed) / full;
}

std::optional<double> copy_share(const Timed& timed, const Machine& machine) {
  if (rate_of(timed) <= 0 || timed.limit != Limit::memory || machine.copy_rate <= 0) {
    return std::nullopt;
  }
  return rate_of(timed) / machine.copy_rate;
}

Verdict speed_verdict(const Timed& timed, const Machine& machine) {
  if (timed.seconds > 0 && timed.most_seconds > 0) {
    return timed.seconds <= timed.most_seconds ? Verdict::ok : Verdict::slow;
  }
  const std::optional<double> share = datasheet_share(timed, machine);
  if (!share || timed.goal <= 0) return Verdict::none;
  return *share >= timed.goal ? Verdict::ok : Verdict::slow;
}

std::int64_t Report::count(const std::string& section, Verdict verdict) const {
  return std::ranges::count_if(
      rows, [&](const Row& row) { return row.section == section && row.verdict == verdict; });
}

bool Report::passed() const {
  const auto agreed = [](const Row& row) { return row.compared && row.verdict == Verdict::ok; };
  return std::ranges::any_of(rows, agreed) &&
         std::ranges::none_of(rows, [](const Row& row) { return row.verdict == Verdict::failed; });
}

void Report::fail(const std::string& section, const std::string& name, const std::string& why) {
  rows.push_back({.section = section,
                  .group = name,
                  .name = name,
                  .shape = "",
                  .compared = {},
                  .timed = {},
                  .verdict = Verdict::failed,
                  .note = why});
}

void Report::skip(const std::string& section, const std::string& name, const std::string& why) {
  fail(section, name, why);
  rows.back().verdict = Verdict::skipped;
}

void write_json(const Report& report, const std::string& folder) {
  const Machine& machine = report.machine;
  Json json{{"device", machine.name},
            {"compute_capability", cat(machine.capability / 10, ".", machine.capability % 10)},
            {"driver_cuda", cuda::version_text(machine.driver)},
            {"runtime_cuda", cuda::version_text(machine.runtime)},
            {"products", machine.products},
            {"commit", report.commit},
            {"utc", utc_now()},
            {"arguments", report.arguments},
            {"passed", report.passed()},
            {"datasheet_bytes_per_second", number_or_null(machine.memory_rate)},
            {"datasheet_f32_operations_per_second", number_or_null(machine.f32_rate)},
            {"datasheet_f16_operations_per_second", number_or_null(machine.half_rate)},
            {"measured_copy_bytes_per_second", number_or_null(machine.copy_rate)},
            {"measured_link_bytes_per_second", number_or_null(machine.link_rate)},
            {"rows", Json::array()}};
  for (const Row& row : report.rows) json["rows"].push_back(json_of(row, machine));

  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string path = folder + "/gpu_check.json";
  std::ofstream out(path);
  out << json.dump(1) << '\n';
  out.close();
  if (!out) {
    throw Error(ErrorKind::work,
                {.file = path, .what = "cannot be written", .cure = "choose another --out"});
  }
}

}  // namespace qaq::gpu_check
