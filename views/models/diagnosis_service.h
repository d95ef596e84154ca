#pragma once

#include <QString>
#include <QStringList>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/diagnosis_report.h"
#include "core/analysis/report_page.h"
#include "core/analysis/scope_params.h"
#include "core/base/progress.h"
#include "core/replay/capture_view.h"

namespace qaq::views {

/// What the form "Diagnose" holds.
struct DiagnosisForm {
  QString model{};  ///< a known name, a file or a folder
  /// So many first tokens of the capture are quantized. Those behind them are what is predicted;
  /// where none are, `generate` tokens of the whole cache's own greedy text.
  int prefix = 0;
  int generate = 32;
  double coinFlipMargin = DiagnosisOptions{}.coin_flip_margin;
  std::optional<int> step{};  ///< nothing: the first that diverged
  bool heads = false;         ///< each head of the cache to blame is replayed, too

  friend bool operator==(const DiagnosisForm&, const DiagnosisForm&) = default;
};

/// A form for the open capture, under one setting.
struct DiagnosisRequest {
  DiagnosisForm form{};
  std::shared_ptr<const CaptureView> capture{};
  QString path{};  ///< of the capture
  ScopeParams params{};
};

/// What came of it. Immutable.
struct DiagnosisResult {
  DiagnosisRequest request{};
  Diagnosis diagnosis{};
  DiagnosisSubject subject{};
  /// It was made with this setting.
  bool isOf(const ScopeParams& params) const;
  /// The explained step diverged.
  bool hasDivergence() const;
};
using SharedDiagnosis = std::shared_ptr<const DiagnosisResult>;

/// Explains with a model which predictions a setting breaks. Functions are called on worker threads
/// and throw Error.
struct DiagnosisMaker {
  /// Refuses a model that the capture is not of.
  std::function<SharedDiagnosis(const DiagnosisRequest&, const Work&)> make;
  /// Writes a report, whole, by its name's ending: .html or .md.
  std::function<void(const QString& path, const DiagnosisResult&, std::vector<PagePicture>,
                     const Work&)>
      write;
  /// What the capture says that its model is; quick.
  std::function<QString(const CaptureInfo& info, const QString& path)> modelOf;
  QStringList models{};  ///< known names that are there
};

/// The form for a capture as it is opened: its prompt is quantized.
DiagnosisForm diagnosisForm(const CaptureInfo& info);

}  // namespace qaq::views
