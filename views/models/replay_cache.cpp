#include "views/models/replay_cache.h"

#include <algorithm>
#include <variant>

namespace qaq::views {
namespace {

template <class T, std::size_t Rank>
std::int64_t bytesOf(const NdArray<T, Rank>& array) {
  return static_cast<std::int64_t>(array.span().size_bytes());
}

std::int64_t bytesOf(const CacheReplay& cache) {
  return bytesOf(cache.bits) + bytesOf(cache.outliers) + bytesOf(cache.error);
}

}  // namespace

std::int64_t byteCountOf(const Analysis& analysis) {
  const ReplayResult& replay = *analysis.replay;
  std::int64_t bytes = bytesOf(replay.key) + bytesOf(replay.value) +
                       bytesOf(replay.attention_error) + bytesOf(replay.output_error);
  for (const Analysis::Side* side : {&analysis.key, &analysis.value}) {
    if (!side->bits) continue;
    bytes += std::visit(
        [](const auto& cells) { return static_cast<std::int64_t>(cells.span().size_bytes()); },
        side->bits->cells());
  }
  if (analysis.violations) {
    bytes += static_cast<std::int64_t>(analysis.violations->violations.size() * sizeof(Violation));
  }
  return bytes;
}

std::list<ReplayCache::Entry>::iterator ReplayCache::position(const SharedCapture& capture,
                                                              const ScopeParams& params,
                                                              std::int64_t prefix) {
  return std::find_if(m_entries.begin(), m_entries.end(), [&](const Entry& entry) {
    return entry.analysis->capture == capture && entry.analysis->replay->prefix == prefix &&
           same_parameters(entry.analysis->params, params);
  });
}

SharedAnalysis ReplayCache::find(const AnalysisRequest& request) {
  const std::int64_t prefix =
      request.prefix == 0 ? request.capture->info().n_tokens : request.prefix;
  const auto found = position(request.capture, request.params, prefix);
  if (found == m_entries.end()) return nullptr;
  m_entries.splice(m_entries.begin(), m_entries, found);
  return found->analysis;
}

void ReplayCache::insert(const SharedAnalysis& analysis) {
  if (analysis->stage != Analysis::Stage::scores) return;
  const auto known = position(analysis->capture, analysis->params, analysis->replay->prefix);
  if (known != m_entries.end()) {
    m_bytes -= known->bytes;
    m_entries.erase(known);
  }
  m_entries.push_front({analysis, byteCountOf(*analysis)});
  m_bytes += m_entries.front().bytes;
  while (m_bytes > m_budget && m_entries.size() > 1) {
    m_bytes -= m_entries.back().bytes;
    m_entries.pop_back();
  }
}

void ReplayCache::keepOnly(const SharedCapture& capture) {
  m_entries.remove_if([&](const Entry& entry) {
    if (entry.analysis->capture == capture) return false;
    m_bytes -= entry.bytes;
    return true;
  });
}

}  // namespace qaq::views
