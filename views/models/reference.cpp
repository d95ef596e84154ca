#include "views/models/reference.h"

#include <algorithm>

namespace qaq::views {

AnalysisRequest Reference::request(const ScopeParams& shown, std::int64_t shownPrefix) const {
  AnalysisRequest out{.capture = capture, .params = params, .prefix = prefix};
  if (kind != Kind::setting) out.prefix = shownPrefix;
  if (kind == Kind::shown) out.params = shown;
  if (kind == Kind::whole) {
    out.params = exact_params();
  }
  out.prefix = std::min(out.prefix, capture->info().n_tokens);
  return out;
}

Reference::Kind keptKind(const QString& name) {
  const auto& names = ChoiceNames<Reference::Kind>::names;
  const auto found = std::ranges::find(names, name.toStdString());
  return found == names.end() ? Reference::Kind::setting
                              : static_cast<Reference::Kind>(found - names.begin());
}

QString kindName(Reference::Kind kind) {
  const std::string_view name = ChoiceNames<Reference::Kind>::names[static_cast<std::size_t>(kind)];
  return QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size()));
}

bool sameReference(const Reference& a, const Reference& b) {
  if (a.capture != b.capture || a.kind != b.kind) return false;
  return a.kind != Reference::Kind::setting ||
         (a.prefix == b.prefix && same_parameters(a.params, b.params));
}

}  // namespace qaq::views
