#pragma once

#include "views/plots/diagnosis_view.h"

namespace qaq::views {

/// Where: KL of the explained step in replays with parts of the cache left exact or quantized
/// alone, as bars against the whole setting's, with the token that came. Its rows are all replays.
class WhereView : public DiagnosisView {
  Q_OBJECT

 public:
  using DiagnosisView::DiagnosisView;

  QString id() const override { return QStringLiteral("where"); }
  QString title() const override { return tr("Where"); }
  std::optional<Table> table() const override;
  /// Of the replays that are drawn, top to bottom: their index among all.
  std::vector<std::size_t> drawn(double height) const;

 protected:
  QString subtitle() const override;
  QString whyNone() const override;
  void paintPicture(QPainter* painter, const QRectF& area) override;
  bool event(QEvent* event) override;
};

}  // namespace qaq::views
