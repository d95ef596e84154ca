#pragma once

#include "views/commands/overlay_panel.h"

namespace qaq::views {

/// A few paragraphs over the window.
class HelpPanel : public OverlayPanel {
  Q_OBJECT

 public:
  explicit HelpPanel(QWidget* window);

  void tell(const QString& title, const QStringList& paragraphs);
  QString text() const;

 protected:
  QSize wantedSize() const override;
  QWidget* firstFocus() override;

 private:
  QLabel* m_text;
};

}  // namespace qaq::views
