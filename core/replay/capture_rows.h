#pragma once

#include <cstdint>
#include <string>

#include "core/policy/query_norms.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// Index of the first captured attention row at a position >= `position`; the number of rows where
/// there is none.
std::int64_t first_row_behind(const CaptureInfo& info, std::int64_t position);

/// The first of the captured rows that errors are measured on: s >= prefix, or all rows where there
/// is none such, which is called in-sample.
std::int64_t first_replayed_row(const CaptureInfo& info, std::int64_t prefix);

/// Throws Error{input}: the capture of that name holds no queries, which the rule asks for.
[[noreturn]] void refuse_without_queries(const std::string& name, const QueryNormRule& rule);

/// How many attention rows of a layer to read at a time: some 64 MB of scores, so that a long
/// capture needs no more memory than a short one.
std::int64_t rows_at_a_time(const CaptureInfo& info);

}  // namespace qaq
