#pragma once

#include <QString>
#include <array>
#include <cstdint>
#include <string_view>

#include "core/analysis/scope_params.h"
#include "views/models/analysis.h"

namespace qaq::views {

/// What the setting that is shown, B, is held against: A.
struct Reference {
  enum class Kind {
    setting,  ///< `params` and `prefix`
    whole,    ///< nothing is quantized, of as many tokens as B quantizes
    shown     ///< the setting that is shown, whatever it becomes: of another capture
  };

  Kind kind = Kind::setting;
  QString label{};
  QString path{};  ///< of the capture's file
  SharedCapture capture{};
  ScopeParams params{};
  std::int64_t prefix = 0;  ///< tokens; 0: all

  /// What is replayed while `shown` and `shownPrefix` are what B is made with.
  AnalysisRequest request(const ScopeParams& shown, std::int64_t shownPrefix) const;
};

/// By its name in a session; `setting` where the name means nothing.
Reference::Kind keptKind(const QString& name);
QString kindName(Reference::Kind kind);
/// The same capture and setting, whatever the label.
bool sameReference(const Reference& a, const Reference& b);

}  // namespace qaq::views

namespace qaq {

template <>
struct ChoiceNames<views::Reference::Kind> {
  static constexpr std::array<std::string_view, 3> names{"setting", "whole", "shown"};
};

}  // namespace qaq
