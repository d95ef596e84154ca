#pragma once

#include "views/plots/color_map.h"
#include "views/plots/diagnosis_view.h"

namespace qaq::views {

/// Where, by head: layers along x, KV heads down, keys above values. How KL changes where a head is
/// left exact, diverging about 0, once that was replayed; until then what its quantization changes
/// to first order.
class HeadsView : public DiagnosisView {
  Q_OBJECT

 public:
  explicit HeadsView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("heads"); }
  QString title() const override { return tr("Where, by head"); }
  std::optional<Table> table() const override;
  /// The numbers are changes of KL.
  bool isReplayed() const;
  /// What the colours mean.
  ColorMap colors() const;
  /// Where a head's cell is painted on the view.
  QRectF cellOf(CacheSide side, int layer, int head) const;

 protected:
  QString subtitle() const override;
  QString whyNone() const override;
  void paintPicture(QPainter* painter, const QRectF& area) override;
  void mousePressEvent(QMouseEvent* event) override;
  bool event(QEvent* event) override;

 private:
  struct Head {
    CacheSide side = CacheSide::key;
    int layer = 0;  ///< the model's
    int head = 0;
  };
  std::array<NdArray<float, 2>, 2> numbers() const;
  bool has(CacheSide side) const;
  QRectF mapIn(const QRectF& area, CacheSide side) const;
  QRectF cellIn(const QRectF& map, int layer, int head) const;
  void paintMap(QPainter* painter, const QRectF& map, CacheSide side, bool isLowest) const;
  void paintLegend(QPainter* painter, const QRectF& area) const;
  std::optional<Head> headAt(const QPointF& position) const;
};

}  // namespace qaq::views
