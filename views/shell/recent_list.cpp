#include "views/shell/recent_list.h"

#include <QFileInfo>
#include <QKeyEvent>
#include <QLocale>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/shell/start_cards.h"

namespace qaq::views {
namespace {

/// One line: icon, name, when, ×.
class RecentRow : public StartCard {
 public:
  RecentRow(RecentList* list, RecentFile file) : m_file(std::move(file)) {
    setText(QFileInfo(m_file.path).fileName());
    m_when = m_file.exists ? whenText(m_file.opened, QDateTime::currentDateTime())
                           : RecentList::tr("not found · Locate…");
    setToolTip(m_file.path);
    setAccessibleName(text() + QStringLiteral(", ") + m_when);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_remove = new QToolButton(this);
    m_remove->setText(QStringLiteral("×"));
    m_remove->setToolTip(RecentList::tr("Remove from the list (Delete)"));
    m_remove->setAccessibleName(RecentList::tr("Remove %1 from the list").arg(text()));
    m_remove->setStyleSheet(
        QStringLiteral("QToolButton { border: 0; background: transparent; padding: 0 4px; }"));
    const QString& path = m_file.path;
    connect(m_remove, &QToolButton::clicked, list,
            [list, path] { emit list->removeRequested(path); });
    connect(this, &QAbstractButton::clicked, list, [list, path, exists = m_file.exists] {
      exists ? emit list->openRequested(path) : emit list->locateRequested(path);
    });
  }

  QSize sizeHint() const override { return {300, 28}; }

 protected:
  void resizeEvent(QResizeEvent*) override {
    m_remove->setGeometry(width() - 26, (height() - 22) / 2, 24, 22);
  }
  void keyPressEvent(QKeyEvent* event) override {
    if (event->key() != Qt::Key_Delete) return StartCard::keyPressEvent(event);
    m_remove->click();
  }
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    if (hasFocus() || underMouse()) paintFrame(painter, false);
    const QColor& ink = m_file.exists ? theme().text : theme().muted;
    views::icon(Icon::file, ink).paint(&painter, QRect(8, (height() - 16) / 2, 16, 16));
    painter.setFont(Theme::font(Theme::kTitlePx));
    QRect words = rect().adjusted(32, 0, -32, 0);
    painter.setPen(m_file.exists ? theme().muted : theme().warning);
    painter.drawText(words, Qt::AlignRight | Qt::AlignVCenter, m_when);
    words.setRight(words.right() - painter.fontMetrics().horizontalAdvance(m_when) - 12);
    painter.setPen(ink);
    painter.drawText(words, Qt::AlignLeft | Qt::AlignVCenter,
                     painter.fontMetrics().elidedText(text(), Qt::ElideMiddle, words.width()));
  }

 private:
  RecentFile m_file;
  QString m_when;
  QToolButton* m_remove;
};

}  // namespace

QString whenText(const QDateTime& when, const QDateTime& now) {
  const qint64 days = when.date().daysTo(now.date());
  const QLocale locale;
  if (days == 0) {
    // Some locales' short times have seconds.
    const QString format = locale.timeFormat(QLocale::ShortFormat).remove(QStringLiteral(":ss"));
    return RecentList::tr("today %1").arg(locale.toString(when.time(), format));
  }
  if (days == 1) return RecentList::tr("yesterday");
  return locale.toString(when.date(), QLocale::ShortFormat);
}

RecentList::RecentList(QWidget* parent) : QWidget(parent), m_column(new QVBoxLayout(this)) {
  m_column->setContentsMargins(0, 0, 0, 0);
  m_column->setSpacing(0);
}

void RecentList::setFiles(const QList<RecentFile>& files) {
  m_files = files;
  fill();
}

void RecentList::setTheme(const Theme& theme) {
  m_theme = theme;
  fill();
}

void RecentList::fill() {
  while (QLayoutItem* item = m_column->takeAt(0)) {
    // One of them may be what calls.
    item->widget()->hide();
    item->widget()->deleteLater();
    delete item;
  }
  for (const RecentFile& file : m_files) {
    auto* row = new RecentRow(this, file);
    row->setTheme(m_theme);
    m_column->addWidget(row);
  }
}

}  // namespace qaq::views
