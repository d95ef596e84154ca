#pragma once

#include <QColor>
#include <QPointer>
#include <QWidget>

namespace qaq::views {

/// A frame around a widget that is spoken of elsewhere, such as the view that shows a formula's
/// symbol. It lets the pointer through.
class TargetMark : public QWidget {
  Q_OBJECT

 public:
  /// Lies over `window`'s widgets.
  explicit TargetMark(QWidget* window);

  /// Null: none. What is not on the screen is not marked.
  void setTarget(QWidget* target, const QColor& color);
  QWidget* target() const { return m_target; }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QPointer<QWidget> m_target;
  QColor m_color;
};

}  // namespace qaq::views
