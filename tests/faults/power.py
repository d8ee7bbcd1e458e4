"""Loss of power: images of the store's disk, taken at random instants while it is written."""
import os, random, re, threading, time

from harness import fault, logrotate, needs


def images_of_a_disk(site, count, options):
    """Takes `count` images of a disk with the store while records come; then starts from each.

    The disk is an ext4 file system in a file on btrfs, whose clones take no time: a clone holds
    what the disk had been given at that instant, and nothing that was only in memory.
    """
    needs("root", "mkfs.btrfs", "mkfs.ext4", "losetup")
    pool, disk = f"{site.root}/pool", f"{site.root}/disk"
    site.run("truncate", "-s", "3G", f"{site.root}/pool.img")
    site.run("mkfs.btrfs", "-q", f"{site.root}/pool.img")
    site.mount("-o", "loop", f"{site.root}/pool.img", at=pool)
    site.run("truncate", "-s", "192M", f"{pool}/disk.img")
    site.run("mkfs.ext4", "-qF", f"{pool}/disk.img")
    site.mount("-o", f"loop,{options}", f"{pool}/disk.img", at=disk)
    site.store = f"{disk}/store"
    site.configure(more=["[collect]", 'flush_interval = "100ms"', 'flush_size = "256KiB"'])
    turn_logs = logrotate(site, "rotate 500\nsize 1\ncompress\ndelaycompress\ncreate")
    acknowledged = taken_while_written(site, count, turn_logs, f"{pool}/disk.img")
    site.settle(120)
    site.stop()
    site.check()
    for number, version in enumerate(acknowledged):
        if version is not None:
            started_from(site, f"{pool}/disk.img.{number}", f"{site.root}/image{number}", version)
    return len(acknowledged)


def taken_while_written(site, count, turn_logs, image):
    """The version that each image must have, as the collector had said just before."""
    stopped, acknowledged = threading.Event(), []

    def write():
        number = 0
        while not stopped.is_set():
            site.write("a.log", 100, first=number)
            number += 100
            if number % 6_000 == 0:
                turn_logs()
            time.sleep(0.05)

    writer = threading.Thread(target=write)
    site.process = site.spawn("-v", "collect", "-c", site.config)
    writer.start()
    try:
        for number in range(count):
            time.sleep(random.random() * 1.2)
            said = re.findall(r"INFO committed rows=\d+ version=(\d+)", site.said())
            site.run("cp", "--reflink=always", image, f"{image}.{number}")
            acknowledged.append(int(said[-1]) if said else None)
    finally:
        stopped.set()
        writer.join()
    return acknowledged


def started_from(site, image, at, version):
    """The store of an image has what was acknowledged, and collecting goes on from it."""
    site.run("mkdir", at)
    site.run("mount", "-o", "loop", image, at)
    try:
        site.store = f"{at}/store"
        site.configure()
        found = int(re.search(r"version (\d+):", site.verify())[1])
        assert found >= version, f"version {version} was acknowledged, {found} is there"
        site.once()
        site.check()
    finally:
        site.run("umount", "-l", at, check=False)
        os.remove(image)


@fault()
def power_is_lost(site):
    """50 images of the disk at random instants: each has what was acknowledged, and goes on."""
    images_of_a_disk(site, 50, "commit=30,noauto_da_alloc")


@fault()
def power_is_lost_on_a_careless_disk(site):
    """15 images with `data=writeback`: contents reach the disk in any order with names."""
    images_of_a_disk(site, 15, "data=writeback,commit=30,noauto_da_alloc")
