#include "core/analysis/memory_report.h"

#include <numeric>
#include <utility>

#include "core/analysis/row_table.h"
#include "core/analysis/scope_params.h"

namespace qaq {
namespace {

constexpr double kRatioBits = 16;  // what the paper's ratios are measured against

std::size_t at(MemoryPart part) { return static_cast<std::size_t>(part); }

// Bytes by part of a cache in which an exact number counts `exact_bits`. `params` are null where
// QAQ does not quantize: a format has no other size than that of its bytes.
std::array<double, kMemoryParts> nominal_parts(const CacheReplay& cache,
                                               const QaqSideParams* params,
                                               const ReplayResult& result, double exact_bits) {
  const auto n = static_cast<double>(cache.n_kept);
  std::array<double, kMemoryParts> out{};
  const double bits = cache.size_per_token_bits * static_cast<double>(result.prefix);
  if (params == nullptr) {
    out[at(MemoryPart::scales)] = static_cast<double>(cache.packed.scales);
    out[at(MemoryPart::payload)] = bits / 8 - out[at(MemoryPart::scales)];
    return out;
  }
  if (params->level == Level::no_quantization) {
    out[at(MemoryPart::payload)] = exact_bits * n / 8;
    return out;
  }
  const double r = params->outlier_rule == OutlierRule::quantile
                       ? params->outliers_ratio
                       : static_cast<double>(cache.n_outliers) / n;
  const double scales = bits - cache.average_n_bits * n;
  out[at(MemoryPart::payload)] = cache.mean_bits * (1 - r) * n / 8;
  out[at(MemoryPart::scales)] = scales * exact_bits / result.dtype_bits / 8;
  out[at(MemoryPart::outlier_values)] = r * exact_bits * n / 8;
  return out;
}

template <class Numbers>
double sum_of(const Numbers& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0);
}

CacheMemory memory_of(const CacheReplay& cache, const QaqSideParams* params,
                      const ReplayResult& result) {
  const PackedBytes& p = cache.packed;
  CacheMemory out;
  out.packed = {p.payload,        p.scales,  p.outlier_values, p.outlier_indices,
                p.outlier_counts, p.bit_map, p.offsets,        p.positions};
  out.nominal = nominal_parts(cache, params, result, result.dtype_bits);
  out.exact = 2 * cache.n_values;
  out.ratio_packed = static_cast<double>(out.exact) / static_cast<double>(p.total());
  out.ratio_nominal =
      static_cast<double>(out.exact) / sum_of(nominal_parts(cache, params, result, kRatioBits));
  return out;
}

}  // namespace

double CacheMemory::part(Accounting accounting, MemoryPart part) const {
  return accounting == Accounting::nominal ? nominal[at(part)]
                                           : static_cast<double>(packed[at(part)]);
}

double CacheMemory::total(Accounting accounting) const {
  return accounting == Accounting::nominal ? sum_of(nominal) : sum_of(packed);
}

MemoryReport memory_report(const ReplayResult& result) {
  const ScopeParams params = scope_params_of(result.policy, result.parameters);
  const bool has = params.uses_qaq();
  MemoryReport out{.key = memory_of(result.key, has ? &params.qaq.key : nullptr, result),
                   .value = memory_of(result.value, has ? &params.qaq.value : nullptr, result)};
  for (std::size_t i = 0; i < kMemoryParts; ++i) {
    out.both.packed[i] = out.key.packed[i] + out.value.packed[i];
    out.both.nominal[i] = out.key.nominal[i] + out.value.nominal[i];
  }
  out.both.exact = out.key.exact + out.value.exact;
  out.both.ratio_packed = result.ratio_packed;
  out.both.ratio_nominal = result.ratio_nominal;
  return out;
}

Table memory_table(const MemoryReport& report) {
  std::vector<std::string> parts(ChoiceNames<MemoryPart>::names.begin(),
                                 ChoiceNames<MemoryPart>::names.end());
  parts.emplace_back("total");
  std::vector<std::vector<Cell>> rows;
  std::int64_t name = 0;
  for (const CacheMemory* cache : {&report.key, &report.value, &report.both}) {
    const double packed = cache->total(Accounting::packed),
                 nominal = cache->total(Accounting::nominal);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const bool is_part = i < kMemoryParts;
      const double bytes = is_part ? static_cast<double>(cache->packed[i]) : packed,
                   nominal_bytes = is_part ? cache->nominal[i] : nominal;
      rows.push_back({name, static_cast<std::int64_t>(i), static_cast<std::int64_t>(bytes),
                      real_cell(bytes / packed), real_cell(nominal_bytes),
                      real_cell(nominal_bytes / nominal)});
    }
    ++name;
  }
  return table_of(
      {{.name = "cache", .kind = ColumnKind::choice, .choices = {"key", "value", "both"}},
       {.name = "part", .kind = ColumnKind::choice, .choices = std::move(parts)},
       {.name = "packed", .unit = "byte"},
       {.name = "packed_share", .kind = ColumnKind::real, .unit = "1"},
       {.name = "nominal", .kind = ColumnKind::real, .unit = "byte"},
       {.name = "nominal_share", .kind = ColumnKind::real, .unit = "1"}},
      std::move(rows));
}

}  // namespace qaq
