#pragma once

#include <QString>
#include <functional>
#include <memory>
#include <vector>

#include "core/analysis/comparison.h"
#include "core/analysis/heatmap.h"
#include "core/analysis/maps.h"
#include "core/analysis/scope_params.h"
#include "core/analysis/violations.h"
#include "core/base/progress.h"
#include "core/replay/replayer.h"
#include "views/models/slice.h"

namespace qaq::views {

using SharedCapture = std::shared_ptr<const CaptureView>;

/// What one setting of the parameters made of a capture: everything that the views draw apart from
/// the single-head maps. Immutable. It is made in stages, so that a slider's bits are seen before
/// their errors are known.
struct Analysis {
  enum class Stage {
    bits,        ///< bits and sizes; replay's errors and outliers are empty
    errors,      ///< errors of keys and values, outliers
    violations,  ///< until then `violations` are those of the analysis before
    scores       ///< errors of scores and outputs: all
  };

  struct Side {
    SharedHeatmap bits;  ///< bit_map()
    BitHistogram histogram;
  };

  Stage stage = Stage::bits;
  SharedCapture capture;
  ScopeParams params;
  SharedReplay replay;
  std::shared_ptr<const ViolationReport> violations;  ///< null where there is no attention, and
                                                      ///< of a policy that goes by no importance
  ViolationParams violationParams;                    ///< what they were found with,
  int violationWindow = 0;                            ///< and its default window
  Side key;
  Side value;

  /// What the cache is quantized with; null where QAQ does not quantize.
  const QaqSideParams* quantizer(CacheSide which) const {
    if (!params.uses_qaq()) return nullptr;
    return which == CacheSide::key ? &params.qaq.key : &params.qaq.value;
  }
  /// Widths of the bit map from here on were left exact.
  int exactFrom(CacheSide which) const { return exact_from(*replay, which); }
  const Side& side(CacheSide which) const { return which == CacheSide::key ? key : value; }
  const CacheReplay& cache(CacheSide which) const {
    return which == CacheSide::key ? replay->key : replay->value;
  }
  /// Newest tokens that were given n_bits_max by rule; 0 where bits are fixed or not QAQ's.
  std::int64_t forcedNewest(CacheSide which) const;
};
using SharedAnalysis = std::shared_ptr<const Analysis>;

struct AnalysisRequest {
  SharedCapture capture{};
  ScopeParams params{};
  std::int64_t prefix = 0;  ///< tokens to quantize; 0: all
  Analysis::Stage through = Analysis::Stage::scores;
};

/// Analyses one capture again and again: replays it and finds violations. Keeps what a slider does
/// not change (core's Replayer), so that new bits come in milliseconds. One call at a time.
class Analyser {
 public:
  explicit Analyser(SharedCapture capture);

  const SharedCapture& capture() const { return m_capture; }
  /// `request.capture` is this one. Each stage but the last is handed to `publish` when it is
  /// finished; the last is returned, or null where `publish` wanted no more. Violations of
  /// `previous` are taken over where nothing that they depend on has changed. Throws what replay()
  /// throws.
  using Publish = std::function<bool(const SharedAnalysis&)>;
  SharedAnalysis analyse(const AnalysisRequest& request, const SharedAnalysis& previous,
                         const Work& work, const Publish& publish = {});

 private:
  /// `before` is the stage before of the same request, or of the request before (`isFirst`).
  SharedAnalysis make(Analysis::Stage stage, const AnalysisRequest& request,
                      const SharedAnalysis& before, bool isFirst, const Work& work);
  void findViolations(const AnalysisRequest& request, const Work& work, Analysis& out);

  SharedCapture m_capture;
  Replayer m_replayer;
};

/// Analyses a capture once.
SharedAnalysis analyse(const AnalysisRequest& request, const SharedAnalysis& previous = {},
                       const Work& work = {});

struct Against;
struct DiagnosisResult;

/// The maps of one slice. Immutable.
struct SliceMaps {
  struct Cell {
    std::int32_t row = 0;
    std::int32_t column = 0;
  };

  Slice slice;
  SharedAnalysis analysis;
  SharedHeatmap magnitude;            ///< of slice.side
  std::vector<Cell> outliers;         ///< (channel, token) kept exactly
  SharedHeatmap attention;            ///< null where there is no attention
  std::vector<Violation> violations;  ///< of the query heads that the slice shows, strongest first
  std::shared_ptr<const Against> against;  ///< null: it is held against nothing
  /// Of this capture, maybe under another setting; null: nobody asked for one.
  std::shared_ptr<const DiagnosisResult> diagnosis;
};
using SharedSlice = std::shared_ptr<const SliceMaps>;

/// What a slice, of B, is held against: the same slice of A, and what came of it. Immutable.
struct Against {
  QString label;            ///< of A
  SharedAnalysis analysis;  ///< of A
  SharedSlice slice;        ///< of A; null where A has no such layer or head
  Alignment alignment;      ///< of both captures; its refusal is of every difference
  std::shared_ptr<const Comparison> comparison;  ///< null: refused, or errors are on their way
};

/// A, for the maps of B.
struct AgainstRequest {
  QString label{};
  SharedAnalysis analysis{};  ///< null: B is held against nothing
};

/// Maps of `slice`; those of `previous` that cannot have changed are taken over.
SharedSlice loadSlice(const SharedAnalysis& analysis, const Slice& slice,
                      const SharedSlice& previous = {}, const AgainstRequest& against = {});
/// The same maps with the comparison of both; null where it is there already, is refused, or the
/// errors of one of the two are not known yet. Throws Error{interrupted}.
SharedSlice compared(const SharedSlice& slice, const Work& work = {});
/// Both sides as compare() takes them.
ComparedRun comparedRun(const SharedAnalysis& analysis, const QString& label);

/// Where to start looking: the layer and KV head with the most violations, else the middle ones.
Slice defaultSlice(const Analysis& analysis);

}  // namespace qaq::views
